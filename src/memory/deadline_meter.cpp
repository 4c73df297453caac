#include "memory/deadline_meter.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace weir::memory {
namespace {

constexpr std::chrono::milliseconds kCloseTimeout{2000};  // longest time that a destructor waits for the driver

/// State shared by the thread that reads or closes the meter and the threads that wait for it. Each holds a reference,
/// so that it outlives a DeadlineMeter whose thread hangs.
struct MeterRequest {
  explicit MeterRequest(MeterFactory maker) : make{std::move(maker)} {}

  const MeterFactory make;
  std::shared_ptr<const Meter> meter;  // used only by the started thread while `is_busy`
  bool make_was_called = false;

  std::mutex mutex;
  std::condition_variable finished;
  bool is_busy = false;    // a thread reads or closes the meter
  bool timed_out = false;  // the last reading did not arrive in time, or no thread could be started
  std::optional<Reading> reading;
};

/// Reads the meter, and creates it first if that was not tried yet. Runs on a separate thread.
void read_meter(const std::shared_ptr<MeterRequest>& request) {
  if (!std::exchange(request->make_was_called, true)) request->meter = request->make();
  const auto answer = request->meter ? request->meter->read() : std::nullopt;
  const std::lock_guard lock{request->mutex};
  request->reading = answer;
  request->is_busy = false;
  request->finished.notify_all();
}

/// Closes the meter; runs on a separate thread, because closing a driver may hang too.
void close_meter(const std::shared_ptr<MeterRequest>& request) {
  request->meter.reset();
  const std::lock_guard lock{request->mutex};
  request->is_busy = false;
  request->finished.notify_all();
}

/// The meter of make_deadline_meter(). At most one started thread is busy at a time.
class DeadlineMeter final : public Meter {
 public:
  DeadlineMeter(std::string name, Side side, MeterLayer layer, std::chrono::milliseconds timeout, MeterFactory make)
      : name_{std::move(name)},
        side_{side},
        layer_{layer},
        timeout_{timeout},
        request_{std::make_shared<MeterRequest>(std::move(make))} {}

  DeadlineMeter(const DeadlineMeter&) = delete;
  DeadlineMeter& operator=(const DeadlineMeter&) = delete;
  /// A thread that hangs keeps the meter and closes it if it ever continues.
  ~DeadlineMeter() override {
    std::unique_lock lock{request_->mutex};
    if (request_->is_busy || !request_->meter) return;
    if (start_thread(close_meter)) static_cast<void>(wait_until_idle(lock, std::min(timeout_, kCloseTimeout)));
  }

  std::string_view name() const override { return name_; }
  Side side() const override { return side_; }
  MeterLayer layer() const override { return layer_; }

  std::optional<Reading> read() const override {
    std::unique_lock lock{request_->mutex};
    // The thread of another reader, or of an earlier read that timed out, may still be busy.
    if (!wait_until_idle(lock, request_->timed_out ? std::chrono::milliseconds{} : timeout_)) return std::nullopt;
    if (!start_thread(read_meter)) return std::nullopt;
    return wait_until_idle(lock, timeout_) ? request_->reading : std::nullopt;
  }

  bool has_timed_out() const override {
    const std::lock_guard lock{request_->mutex};
    return request_->timed_out;
  }

  /// Returns whether `make` returned no meter; valid after the first read.
  bool has_no_meter() const {
    const std::lock_guard lock{request_->mutex};
    return !request_->is_busy && !request_->timed_out && request_->meter == nullptr;
  }

 private:
  /// Starts a thread; called with the lock held. Returns false if no thread can be started.
  bool start_thread(void (*work)(const std::shared_ptr<MeterRequest>&)) const {
    request_->is_busy = true;
    try {
      std::thread{work, request_}.detach();
      return true;
    } catch (const std::system_error&) {
      request_->is_busy = false;
      request_->timed_out = true;
      return false;
    }
  }

  /// Waits until no started thread is busy; called with the lock held. Returns false after `timeout`. Sets `timed_out`.
  bool wait_until_idle(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds timeout) const {
    const bool is_idle = request_->finished.wait_for(lock, timeout, [&] { return !request_->is_busy; });
    request_->timed_out = !is_idle;
    return is_idle;
  }

  const std::string name_;
  const Side side_;
  const MeterLayer layer_;
  const std::chrono::milliseconds timeout_;
  const std::shared_ptr<MeterRequest> request_;
};

}  // namespace

std::shared_ptr<const Meter> make_deadline_meter(std::string name, Side side, MeterLayer layer,
                                                 std::chrono::milliseconds timeout, MeterFactory make) {
  auto meter = std::make_shared<const DeadlineMeter>(std::move(name), side, layer, timeout, std::move(make));
  static_cast<void>(meter->read());
  if (meter->has_no_meter()) return nullptr;
  return meter;
}

}  // namespace weir::memory
