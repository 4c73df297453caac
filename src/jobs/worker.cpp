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

using Clock = std::chrono::steady_clock;
constexpr auto kBeat = std::chrono::milliseconds{100};

enum Ended { kTold = 0, kUnfit = 3, kNonsense = 70 };

class Worker {
 public:
  Worker(int channel, const TaskKinds& kinds) : channel_{channel}, kinds_{kinds}, inbox_{channel} {}

  int run(const std::string& device, const ProveDevice& prove) {
    const auto setup = inbox_.take();
    if (!setup) return kAbandoned;
    if (auto ready = make_ready(*setup, device, prove); !ready) {
      if (ready.error().code == Errc::cancelled) return kTold;
      send({{"type", "unfit"}, {"error", to_json(ready.error())}});
      return kUnfit;
    }
    send({{"type", "hello"}, {"device", identity_}, {"variants", task_->variants()}, {"weir", kVersion}});
    for (;;) {
      const auto message = inbox_.take();
      if (!message) return kAbandoned;
      const std::string type = text_field(*message, "type");
      if (type == "end" || type == "stop") return kTold;
      const auto item = item_of(object_field(*message, "item"));
      if (!item) return kNonsense;
      if (type == "estimate")
        estimate(*message, *item);
      else if (type == "run")
        execute_item(*message, *item);
      else
        return kNonsense;
    }
  }

 private:
  Status make_ready(const Json& setup, const std::string& device, const ProveDevice& prove) {
    if (auto leased = take_lease(setup); !leased) return leased;
    const std::string wanted = text_field(setup, "identity");
    const auto proven = prove(device);
    if (!proven) return proven.error();
    identity_ = *proven;
    if (!wanted.empty() && *proven != wanted)
      return Error{Errc::unsupported, fmt::format("the worker runs on {}, not on {}", *proven, wanted)};
    const auto kind = kinds_.find(text_field(setup, "task"));
    if (kind == kinds_.end()) return Error{Errc::unsupported, "no such kind of task"};
    const Means means{bytes_field(setup, "ram"), bytes_field(setup, "vram"),
                      static_cast<int>(number_field(setup, "threads")), device};
    auto task = kind->second(object_field(setup, "settings"), means);
    if (!task) return task.error();
    task_ = *std::move(task);
    order_.keep_records = bool_field(setup, "keep_records");
    order_.folder = decode_path(text_field(setup, "records"));
    order_.device = text_field(setup, "device");
    order_.stop_signal = [this] { return inbox_.signal(); };
    return ok();
  }

  /// Before anything opens the device. Errors: timed_out with the holder; cancelled; io.
  Status take_lease(const Json& setup) {
    const std::string key = text_field(setup, "lease");
    if (key.empty()) return ok();
    const Environment environment = process_environment();
    const auto folder = device::find_lease_folder(environment);
    if (!folder) return folder.error();
    const device::LeaseRequest request{.keys = {key},
                                       .wait = std::chrono::milliseconds{count_field(setup, "lease_wait_ms")},
                                       .job = text_field(setup, "task")};
    const auto waits = [&](const std::vector<device::Obstacle>& obstacles) {
      send({{"type", "waiting"}, {"why", device::describe(obstacles)}});
    };
    auto lease = device::acquire_lease(folder->path, request, environment, {.stop = inbox_.stop(), .started = waits});
    if (!lease) return lease.error();
    lease_.emplace(*std::move(lease));
    send({{"type", "leased"}});
    return ok();
  }

  void estimate(const Json& message, const Item& item) {
    Json answer{{"type", "estimated"}, {"number", message.value("number", 0)}};
    const auto estimate = guarded_estimate(item, count_field(message, "variant"));
    if (!estimate) {
      answer["error"] = to_json(estimate.error());
    } else {
      answer["estimate"] = to_json(*estimate);
    }
    send(answer);
  }

  Result<Estimate> guarded_estimate(const Item& item, std::size_t variant) {
    try {
      return task_->estimate(item, variant);
    } catch (const std::exception& problem) {
      if (auto refusal = refusal_of(problem)) return *std::move(refusal);
      return Error{Errc::unsupported, fmt::format("a fault of weir: {}", problem.what())};
    }
  }

  void execute_item(const Json& message, const Item& item) {
    Order order = order_;
    order.variant = count_field(message, "variant");
    order.number = static_cast<int>(count_field(message, "attempt"));
    order.replace = bool_field(message, "replace");
    last_beat_ = Clock::now();
    const Outcome outcome = execute(
        *task_, item, order, [&](const Progress& progress) { beat(progress); }, inbox_.stop());
    Json answer{{"type", "finished"},
                {"number", message.value("number", 0)},
                {"pixels", to_json(outcome.product.pixels)},
                {"report", outcome.product.report},
                {"damaged", outcome.product.damaged},
                {"notes", outcome.product.notes},
                {"amount", outcome.product.amount},
                {"seconds", outcome.product.seconds},
                {"pool_use", outcome.product.pool},
                {"total_s", outcome.total_s},
                {"sync_s", outcome.sync_s},
                {"rss", resident().count()},
                {"pool", task_->pool().count()},
                {"device_memory", task_->device_memory().count()}};
    if (outcome.product.error) {
      answer["error"] = to_json(*outcome.product.error);
      answer["fault"] = outcome.product.fault;
      answer["retry"] = outcome.product.retry;
      answer["unstable"] = outcome.product.unstable;
    }
    if (outcome.product.variant) answer["variant"] = *outcome.product.variant;
    send(answer);
  }

  /// From the thread that works: what hangs there sends none.
  void beat(const Progress& progress) {
    const auto now = Clock::now();
    if (now - last_beat_ < kBeat) return;
    last_beat_ = now;
    send({{"type", "beat"}, {"fraction", progress.fraction}, {"amount", progress.amount}, {"rss", resident().count()}});
  }

  /// A coordinator that is gone is noticed by the inbox.
  void send(const Json& message) const {
    const auto frame = to_frame(dump(message));
    if (frame) (void)send_all(channel_, *frame);
  }

  int channel_;
  const TaskKinds& kinds_;
  Inbox inbox_;
  std::optional<device::Lease> lease_;  // before the task: the device is left first
  std::string identity_;                // proved
  std::unique_ptr<Task> task_;
  Order order_;
  Clock::time_point last_beat_{};
};

}  // namespace

int run_worker(int channel, const std::string& device, const TaskKinds& kinds, const ProveDevice& prove) {
  keep_from_children(channel);  // it came open through our exec; what we start has no business with it
  return Worker{channel, kinds}.run(device, prove);
}

}  // namespace weir::jobs
