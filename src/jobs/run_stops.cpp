// Coordinator::Run: signals, pauses, a full disk, and a run that is stopped early.

#include <algorithm>
#include <csignal>
#include <system_error>

#include <fmt/format.h>

#include "base/disk_space.hpp"
#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/publish.hpp"

namespace weir::jobs {

void Coordinator::Run::handle_signals() {
  for (int signal = signals_->next_signal(); signal != 0; signal = signals_->next_signal()) {
    const bool is_second = stop_controller_.is_stopping();  // a second signal ends the grace period
    if (signal == SIGTSTP)
      suspend();
    else
      stop("interrupted", /*at_once=*/is_second, signal);
  }
}

/// Suspends this process after a Ctrl-Z (SIGTSTP). The terminal's signal does not reach the workers, which are in
/// separate process groups, so pause() suspends them.
void Coordinator::Run::suspend() {
  const bool was_paused = stop_controller_.is_paused();
  pause();
  reporter_.write_state(view(), Clock::now());
  raise(SIGSTOP);  // returns when this process is continued
  if (!was_paused) resume();
}

void Coordinator::Run::check_pause_file() {
  if (settings_.pause_file.empty() || stop_controller_.is_stopping()) return;
  std::error_code ignored;
  const bool pause_file_exists = std::filesystem::exists(settings_.pause_file, ignored);
  if (pause_file_exists == stop_controller_.is_paused()) return;
  if (pause_file_exists)
    pause();
  else
    resume();
  reporter_.notify(Severity::note, pause_file_exists
                                       ? fmt::format("paused while {} exists", printable(settings_.pause_file.native()))
                                       : std::string{"goes on"});
}

/// Suspends the worker processes, so that they use no processor time.
void Coordinator::Run::pause() {
  if (!stop_controller_.pause(Clock::now())) return;
  workers_.signal_all(SIGSTOP);
  reporter_.log(observe::Level::info, "pause");
}

void Coordinator::Run::resume() {
  const auto now = Clock::now();
  const auto paused_for = stop_controller_.resume(now);
  if (!paused_for) return;
  workers_.signal_all(SIGCONT);
  for (WorkerSlot& slot : slots_) {
    if (slot.worker != 0) slot.exclude_pause(*paused_for, now);
  }
  reporter_.log(observe::Level::info, "resume");
}

/// Lets an item wait for disk space, after its attempt has filled the disk.
void Coordinator::Run::requeue_for_disk(ItemNumber number) {
  const auto space = disk_space(worklist_.item(number).outputs.front().parent_path());
  worklist_.cancel_attempt_for_disk(number, space ? space->free : Bytes{});
  queue_.add_waiting_for_disk(number);
}

/// Checks the disk, but only while all waiting items wait for disk space and no worker is busy. The disk counts as full
/// if each of these items must still wait for space. Reports a change; with FullDiskPolicy::stop, a full disk stops the
/// run.
void Coordinator::Run::check_disk() {
  if (!queue_.waits_only_for_disk() || slots_.has_busy_worker() ||
      !stop_controller_.mark_disk_check_if_due(Clock::now()))
    return;
  const auto waiting = queue_.waiting_for_disk();
  const bool full = std::all_of(waiting.begin(), waiting.end(),
                                [&](ItemNumber number) { return disk_admission(number) == Admission::wait; });
  const bool changed = stop_controller_.set_disk_full(full);
  if (!full) {
    queue_.release_waiting_for_disk();
    if (!changed) return;
    reporter_.log(observe::Level::info, "disk_room");
    return reporter_.notify(Severity::note, "there is room on the disk again: goes on");
  }
  if (!changed) return;
  const auto space = disk_space(settings_.outputs);
  const Bytes free = space ? space->free : Bytes{};
  reporter_.log(observe::Level::warning, "disk_full",
                {{"folder", encode_path(settings_.outputs)}, {"free", free.count()}});
  if (settings_.full_disk_policy == FullDiskPolicy::stop) {
    reporter_.set_fatal(Error{Errc::disk_full, fmt::format("the disk is full ({} free)", to_text(free))});
    return stop("the disk is full");
  }
  reporter_.notify(Severity::warning,
                   fmt::format("the disk is full ({} free, the next item may write {}): waiting for room",
                               to_text(free), to_text(worklist_[waiting.front()].estimate.output)));
}

void Coordinator::Run::stop(std::string_view why, bool at_once, int signal) {
  const StopController::StopResult stop = stop_controller_.request_stop(at_once, Clock::now());
  if (!stop.is_first) return;
  reporter_.set_interrupted();
  reporter_.log(observe::Level::warning, "stop", {{"why", why}});
  if (stop.was_paused) workers_.signal_all(SIGCONT);
  workers_.send_to_all({{"type", "stop"}, {"signal", signal}});
}

/// During a stop, kills the workers that are left after the grace period, and at last stops waiting for them.
void Coordinator::Run::check_stop() {
  const StopController::StopStep step = stop_controller_.next_stop_step(Clock::now());
  if (step == StopController::StopStep::none) return;
  for (WorkerSlot& slot : slots_) {
    if (slot.worker == 0) continue;
    if (step == StopController::StopStep::kill) {
      workers_.kill(slot, stop_controller_.kill_reason());
      continue;
    }
    workers_.abandon(slot);
    close_job(slot.remove_worker());
  }
}

/// Ends the item of a worker that has ended, or was abandoned, during a stop: as done if its result is complete, else as interrupted. Also
/// removes the temporary files of an interrupted item, since no later step of this run removes them.
void Coordinator::Run::close_job(const std::optional<WorkerJob>& job) {
  if (!job || !job->is_running || worklist_[job->item].is_ended) return;
  ItemResult result = worklist_.make_result(job->item);
  result.status = find_finished_result(job->item) ? ItemStatus::done : ItemStatus::interrupted;
  if (result.status == ItemStatus::interrupted) {
    remove_temporaries(worklist_.item(job->item));
    result.error = Error{Errc::cancelled, "interrupted"};
  }
  end_item(result);
}

}  // namespace weir::jobs
