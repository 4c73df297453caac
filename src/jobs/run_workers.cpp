// Coordinator::Run: start, check and end of the workers.

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {
namespace {

constexpr auto kStartTimeout = std::chrono::seconds{120};  // time from a worker's start to its hello; drivers are slow
constexpr int kMaxFailedStarts = 3;                        // failed starts in a row after which the device is dropped

}  // namespace

void Coordinator::Run::start_workers() {
  std::size_t count = std::min(slots_.size(), worklist_.remaining());
  for (WorkerSlot& slot : slots_) {
    if (count-- == 0) return;
    start_worker(slot);
  }
}

void Coordinator::Run::start_worker(WorkerSlot& slot) {
  const Json setup{{"type", "setup"},
                   {"task", settings_.task},
                   {"settings", settings_.task_settings},
                   {"device", slot.device->name},
                   {"identity", slot.identity},
                   {"lease", slot.device->lease_key},
                   {"lease_wait_ms", settings_.max_lease_wait.count()},
                   {"ram", ram_per_worker_.count()},
                   {"vram", slot.device->vram.count()},
                   {"threads", slot.device->threads},
                   {"keep_records", rules_.write_records},
                   {"records", encode_path(rules_.folder)}};
  if (auto started = workers_.start(slot, setup); !started) drop_device(slot, started.error().what);
}

void Coordinator::Run::read_worker(WorkerSlot& slot) {
  while (const auto message = workers_.receive(slot)) on_message(slot, *message);
}

/// Handles a worker that has ended, and kills one that does not start or sends no heartbeat.
void Coordinator::Run::check_worker(WorkerSlot& slot) {
  if (slot.worker == 0) return;
  if (const auto how = workers_.poll_exit(slot)) return on_worker_exit(slot, *how);
  if (stop_controller_.is_paused() || slot.ending || !slot.kill_reason.empty()) return;
  const auto now = Clock::now();
  if (!slot.ready && now - slot.started > kStartTimeout) return workers_.kill(slot, "it did not start");
  if (!slot.job) return;
  const std::chrono::duration<double> since_heartbeat = now - slot.job->last_heartbeat;
  if (since_heartbeat > stall_limit(settings_.stall_timeout, slots_.expected_s(slot)))
    workers_.kill(slot, fmt::format("no heartbeat for {:.0f} s", since_heartbeat.count()));
}

/// First reads the messages that the worker sent before it died, so that an item that it finished counts as done.
void Coordinator::Run::on_worker_exit(WorkerSlot& slot, const std::string& exit_text) {
  read_worker(slot);
  const std::string how = slot.kill_reason.empty() ? exit_text : slot.kill_reason;
  const bool was_unready = !slot.ready;
  const bool was_expected = slot.ending || stop_controller_.is_stopping();
  const pid_t worker = slot.worker;
  workers_.remove_process(slot);
  const auto job = slot.remove_worker();
  reporter_.log(was_expected && !job ? observe::Level::info : observe::Level::warning, "worker_end",
                {{"device", slot.device->name}, {"worker", worker}, {"why", how}});
  if (stop_controller_.is_stopping())
    close_job(job);
  else if (job)
    on_worker_death(job->item, how);
  if (was_expected || slot.lost) return;
  reporter_.count_restart(slot, "died");
  slot.failed_starts = was_unready ? slot.failed_starts + 1 : 0;
  if (slot.failed_starts >= kMaxFailedStarts)
    drop_device(slot, fmt::format("its worker does not start ({})", how));
  else
    reporter_.notify(Severity::warning,
                     fmt::format("{}: the worker {}; it is started again", printable(slot.device->name), how));
}

/// Ends a worker that has done its maximum number of items, or whose memory grows like a leak; dispatch() starts the next
/// one.
void Coordinator::Run::replace_worker_if_needed(WorkerSlot& slot) {
  const bool at_limit = settings_.max_items_per_worker > 0 && slot.finished_attempts >= settings_.max_items_per_worker;
  const bool leaks = slot.growth.is_leak();
  if ((!at_limit && !leaks) || worklist_.remaining() == 0) return;
  const Bytes growth{static_cast<std::uint64_t>(slot.growth.max_growth_bytes())};
  const std::string why = leaks ? fmt::format("grew by {} of memory", to_text(growth))
                                : fmt::format("has done {} items", slot.finished_attempts);
  reporter_.log(leaks ? observe::Level::warning : observe::Level::info, "worker_replaced",
                {{"device", slot.device->name}, {"worker", slot.worker}, {"why", why}});
  reporter_.count_restart(slot, leaks ? "growth" : "items");
  if (leaks)
    reporter_.notify(Severity::warning,
                     fmt::format("{}: the worker {}; it is replaced", printable(slot.device->name), why));
  workers_.request_end(slot, why);
}

/// Excludes the device from the run; stops the run if no device is left.
void Coordinator::Run::drop_device(WorkerSlot& slot, const std::string& why) {
  if (slot.lost) return;
  slot.lost = true;
  reporter_.log(observe::Level::error, "device_lost", {{"device", slot.device->name}, {"why", why}});
  reporter_.notify(Severity::error,
                   fmt::format("{}: {}; it is not used any more", printable(slot.device->name), one_line(why)));
  if (!slots_.are_all_lost() || worklist_.remaining() == 0) return;
  reporter_.set_fatal(Error{Errc::device_lost, fmt::format("no device is left: {}", one_line(why))});
  stop("no device is left");
}

}  // namespace weir::jobs
