#include "memory/deadline_meter.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace weir::memory {
namespace {

constexpr std::chrono::milliseconds kClosing{2000};

/// What the asking thread and those who wait for it share. It outlives both.
struct Question {
  explicit Question(MakeMeter maker) : make{std::move(maker)} {}

  const MakeMeter make;
  std::shared_ptr<const Meter> meter;  // of the asking thread while `asking`
  bool made = false;

  std::mutex mutex;
  std::condition_variable answered;
  bool asking = false;
  bool given_up = false;  // the last answer did not come in time
  std::optional<Reading> answer;
};

void ask_meter(const std::shared_ptr<Question>& question) {
  if (!std::exchange(question->made, true)) question->meter = question->make();
  const auto answer = question->meter ? question->meter->read() : std::nullopt;
  const std::lock_guard lock{question->mutex};
  question->answer = answer;
  question->asking = false;
  question->answered.notify_all();
}

/// Closing a driver may hang as well as asking it.
void close_meter(const std::shared_ptr<Question>& question) {
  question->meter.reset();
  const std::lock_guard lock{question->mutex};
  question->asking = false;
  question->answered.notify_all();
}

class DeadlineMeter final : public Meter {
 public:
  DeadlineMeter(std::string name, Side side, Witness witness, std::chrono::milliseconds limit, MakeMeter make)
      : name_{std::move(name)},
        side_{side},
        witness_{witness},
        limit_{limit},
        question_{std::make_shared<Question>(std::move(make))} {}

  DeadlineMeter(const DeadlineMeter&) = delete;
  DeadlineMeter& operator=(const DeadlineMeter&) = delete;
  /// A thread that hangs keeps what it needs, and closes it if it ever goes on.
  ~DeadlineMeter() override {
    std::unique_lock lock{question_->mutex};
    if (question_->asking || !question_->meter) return;
    if (begin(close_meter)) static_cast<void>(is_answered(lock, std::min(limit_, kClosing)));
  }

  std::string_view name() const override { return name_; }
  Side side() const override { return side_; }
  Witness witness() const override { return witness_; }

  std::optional<Reading> read() const override {
    std::unique_lock lock{question_->mutex};
    if (!is_answered(lock, question_->given_up ? std::chrono::milliseconds{} : limit_)) return std::nullopt;
    if (!begin(ask_meter)) return std::nullopt;
    return is_answered(lock, limit_) ? question_->answer : std::nullopt;
  }

  bool is_silent() const override {
    const std::lock_guard lock{question_->mutex};
    return question_->given_up;
  }

  /// Known after the first reading.
  bool has_nothing_to_ask() const {
    const std::lock_guard lock{question_->mutex};
    return !question_->asking && !question_->given_up && question_->meter == nullptr;
  }

 private:
  /// With the lock held. False: no thread is to be had.
  bool begin(void (*work)(const std::shared_ptr<Question>&)) const {
    question_->asking = true;
    try {
      std::thread{work, question_}.detach();
      return true;
    } catch (const std::system_error&) {
      question_->asking = false;
      question_->given_up = true;
      return false;
    }
  }

  bool is_answered(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds patience) const {
    const bool answered = question_->answered.wait_for(lock, patience, [&] { return !question_->asking; });
    question_->given_up = !answered;
    return answered;
  }

  const std::string name_;
  const Side side_;
  const Witness witness_;
  const std::chrono::milliseconds limit_;
  const std::shared_ptr<Question> question_;
};

}  // namespace

std::shared_ptr<const Meter> make_deadline_meter(std::string name, Side side, Witness witness,
                                                 std::chrono::milliseconds limit, MakeMeter make) {
  auto meter = std::make_shared<const DeadlineMeter>(std::move(name), side, witness, limit, std::move(make));
  static_cast<void>(meter->read());
  if (meter->has_nothing_to_ask()) return nullptr;
  return meter;
}

}  // namespace weir::memory
