#include "jobs/worker.hpp"

#include <chrono>

#include <fmt/format.h>

#include "base/channel.hpp"
#include "base/paths.hpp"
#include "base/process_memory.hpp"
#include "base/threads.hpp"
#include "base/version.hpp"
#include "device/lease.hpp"
#include "device/lease_folder.hpp"
#include "jobs/execute.hpp"
#include "jobs/frame.hpp"
#include "jobs/inbox.hpp"
#include "jobs/worker_messages.hpp"

namespace weir::jobs {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kHeartbeatInterval = std::chrono::milliseconds{100};

// See run_worker(); the status 4 is kExitCoordinatorGone (inbox.hpp).
enum ExitStatus { kEndRequested = 0, kNotReady = 3, kInvalidMessage = 70 };

/// The worker process: answers the messages of the coordinator, one after the other.
class Worker {
 public:
  Worker(int channel_fd, const TaskFactories& factories)
      : channel_fd_{channel_fd}, factories_{factories}, inbox_{channel_fd} {}

  /// Returns the exit status of the process.
  int run(const std::string& device, const BindDevice& bind) {
    const auto setup = inbox_.take();
    if (!setup) return kExitCoordinatorGone;
    if (auto ready = prepare(*setup, device, bind); !ready) {
      if (ready.error().code == Errc::cancelled) return kEndRequested;
      send({{"type", "does_not_fit"}, {"error", to_json(ready.error())}});
      return kNotReady;
    }
    send({{"type", "hello"}, {"device", identity_}, {"variants", task_->variants()}, {"weir", kVersion}});
    for (;;) {
      const auto message = inbox_.take();
      if (!message) return kExitCoordinatorGone;
      const std::string type = text_field(*message, "type");
      if (type == "end" || type == "stop") return kEndRequested;
      const auto item = item_from_json(object_field(*message, "item"));
      if (!item) return kInvalidMessage;
      if (type == "estimate")
        estimate(*message, *item);
      else if (type == "run")
        execute_item(*message, *item);
      else
        return kInvalidMessage;
    }
  }

 private:
  /// Leases the device, binds the process to it, checks its identity, and makes the task.
  Status prepare(const Json& setup, const std::string& device, const BindDevice& bind) {
    if (auto leased = acquire_lease(setup); !leased) return leased;
    const std::string expected = text_field(setup, "identity");
    const auto verified = bind(device);
    if (!verified) return verified.error();
    identity_ = *verified;
    if (!expected.empty() && *verified != expected)
      return Error{Errc::unsupported, fmt::format("the worker runs on {}, not on {}", *verified, expected)};
    const auto factory = factories_.find(text_field(setup, "task"));
    if (factory == factories_.end()) return Error{Errc::unsupported, "no such kind of task"};
    const WorkerResources resources{.ram = bytes_field(setup, "ram"),
                                    .vram = bytes_field(setup, "vram"),
                                    .threads = static_cast<int>(number_field(setup, "threads")),
                                    .device = device};
    auto task = factory->second(object_field(setup, "settings"), resources);
    if (!task) return task.error();
    task_ = *std::move(task);
    options_.write_records = bool_field(setup, "keep_records");
    options_.records_folder = decode_path(text_field(setup, "records"));
    options_.device = text_field(setup, "device");
    options_.stop_signal = [this] { return inbox_.stop_signal(); };
    return ok();
  }

  /// Acquires the lease, before anything opens the device. Errors: timed_out with the holder; cancelled; io.
  Status acquire_lease(const Json& setup) {
    const std::string key = text_field(setup, "lease");
    if (key.empty()) return ok();
    const Environment environment = process_environment();
    const auto folder = device::find_lease_folder(environment);
    if (!folder) return folder.error();
    const device::LeaseRequest request{.keys = {key},
                                       .max_wait = std::chrono::milliseconds{count_field(setup, "lease_wait_ms")},
                                       .job = text_field(setup, "task")};
    const auto on_wait = [&](const std::vector<device::BusyDevice>& busy_devices) {
      send({{"type", "waiting"}, {"why", device::describe(busy_devices)}});
    };
    auto lease =
        device::acquire_lease(folder->path, request, environment, {.stop = inbox_.stop_token(), .on_wait = on_wait});
    if (!lease) return lease.error();
    lease_.emplace(*std::move(lease));
    send({{"type", "leased"}});
    return ok();
  }

  void estimate(const Json& message, const Item& item) {
    Json answer{{"type", "estimated"}, {"number", message.value("number", 0)}};
    const auto estimate = estimate_safely(item, count_field(message, "variant"));
    if (!estimate) {
      answer["error"] = to_json(estimate.error());
    } else {
      answer["estimate"] = to_json(*estimate);
    }
    send(answer);
  }

  Result<Estimate> estimate_safely(const Item& item, std::size_t variant) {
    try {
      return task_->estimate(item, variant);
    } catch (const std::exception& problem) {
      if (auto resource_error = resource_error_of(problem)) return *std::move(resource_error);
      return Error{Errc::unsupported, fmt::format("an internal error of weir: {}", problem.what())};
    }
  }

  void execute_item(const Json& message, const Item& item) {
    ExecutionOptions options = options_;
    options.variant = count_field(message, "variant");
    options.attempt_number = static_cast<int>(count_field(message, "attempt"));
    options.replace = bool_field(message, "replace");
    last_heartbeat_ = SteadyClock::now();
    const ExecutionResult result = execute(
        *task_, item, options, [&](const Progress& progress) { send_heartbeat(progress); }, inbox_.stop_token());
    Json answer{{"type", "finished"},
                {"number", message.value("number", 0)},
                {"compute_config", to_json(result.attempt.compute_config)},
                {"report", result.attempt.report},
                {"damaged", result.attempt.damage},
                {"notes", result.attempt.notes},
                {"amount", result.attempt.amount},
                {"seconds", result.attempt.stage_seconds},
                {"pool_use", result.attempt.pool_statistics},
                {"total_s", result.total_s},
                {"sync_s", result.sync_s},
                {"rss", resident_memory().count()},
                {"pool", task_->pooled_memory().count()},
                {"device_memory", task_->device_memory().count()}};
    if (result.attempt.error) {
      answer["error"] = to_json(*result.attempt.error);
      answer["internal_error"] = result.attempt.internal_error;
      answer["retry"] = result.attempt.retry;
      answer["unstable"] = result.attempt.unstable;
    }
    if (result.attempt.variant) answer["variant"] = *result.attempt.variant;
    send(answer);
  }

  /// Sends a heartbeat from the thread that works, so that none is sent when the work hangs.
  void send_heartbeat(const Progress& progress) {
    const auto now = SteadyClock::now();
    if (now - last_heartbeat_ < kHeartbeatInterval) return;
    last_heartbeat_ = now;
    send({{"type", "heartbeat"},
          {"fraction", progress.fraction},
          {"amount", progress.amount},
          {"rss", resident_memory().count()}});
  }

  /// Ignores errors: the inbox detects that the coordinator has ended.
  void send(const Json& message) const {
    const auto frame = to_frame(dump(message));
    if (frame) (void)send_all(channel_fd_, *frame);
  }

  int channel_fd_;
  const TaskFactories& factories_;
  Inbox inbox_;
  std::optional<device::Lease> lease_;  // before task_, so that the task releases the device before the lease ends
  std::string identity_;                // the verified device
  std::unique_ptr<Task> task_;
  ExecutionOptions options_;
  SteadyClock::time_point last_heartbeat_{};
};

}  // namespace

int run_worker(int channel_fd, const std::string& device, const TaskFactories& factories, const BindDevice& bind) {
  set_close_on_exec(channel_fd);  // this process inherited the socket through exec; its child processes must not
  return Worker{channel_fd, factories}.run(device, bind);
}

}  // namespace weir::jobs
