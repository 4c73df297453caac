#include <algorithm>
#include <csignal>
#include <system_error>

#include <fmt/format.h>

#include "base/disk_space.hpp"
#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/publish.hpp"

namespace weir::jobs {

void Coordinator::Run::take_signals() {
  for (int signal = signals_->take(); signal != 0; signal = signals_->take()) {
    if (signal == SIGTSTP)
      suspend();
    else
      stop("interrupted", halts_.stopping(), signal);
  }
}

/// What the terminal asks of the coordinator is done to the workers too, which are in groups of their own.
void Coordinator::Run::suspend() {
  const bool was_paused = halts_.paused();
  pause();
  reporter_.write_state(view(), Clock::now());
  raise(SIGSTOP);  // returns when somebody continues us
  if (!was_paused) resume();
}

void Coordinator::Run::check_pause_file() {
  if (settings_.pause_file.empty() || halts_.stopping()) return;
  std::error_code ignored;
  const bool wanted = std::filesystem::exists(settings_.pause_file, ignored);
  if (wanted == halts_.paused()) return;
  if (wanted)
    pause();
  else
    resume();
  reporter_.notify(Loudness::note, wanted
                                       ? fmt::format("paused while {} exists", printable(settings_.pause_file.native()))
                                       : std::string{"goes on"});
}

/// A stopped process computes nothing.
void Coordinator::Run::pause() {
  if (!halts_.pause(Clock::now())) return;
  workers_.signal_all(SIGSTOP);
  reporter_.log(observe::Level::info, "pause");
}

void Coordinator::Run::resume() {
  const auto now = Clock::now();
  const auto stood_still = halts_.resume(now);
  if (!stood_still) return;
  workers_.signal_all(SIGCONT);
  for (Seat& seat : seats_) {
    if (seat.worker != 0) seat.shift(*stood_still, now);
  }
  reporter_.log(observe::Level::info, "resume");
}

void Coordinator::Run::wait_for_disk(ItemNumber number) {
  const auto space = disk_space(items_[number].outputs.front().parent_path());
  list_.take_back_attempt(number, space ? space->free : Bytes{});
  queue_.add_without_room(number);
}

/// Items that fit go first. The disk is full when none of those that are left does and nothing runs that might remove a
/// file.
void Coordinator::Run::check_disk() {
  if (!queue_.needs_room() || seats_.any_busy() || !halts_.ask_disk(Clock::now())) return;
  const auto waiting = queue_.without_room();
  const bool full = std::none_of(waiting.begin(), waiting.end(),
                                 [&](ItemNumber number) { return disk_room(number) != Admission::wait; });
  const bool changed = halts_.set_disk_full(full);
  if (!full) {
    queue_.release_without_room();
    if (!changed) return;
    reporter_.log(observe::Level::info, "disk_room");
    return reporter_.notify(Loudness::note, "there is room on the disk again: goes on");
  }
  if (!changed) return;
  const auto space = disk_space(settings_.outputs);
  const Bytes free = space ? space->free : Bytes{};
  reporter_.log(observe::Level::warning, "disk_full",
                {{"folder", encode_path(settings_.outputs)}, {"free", free.count()}});
  if (settings_.on_full_disk == OnFullDisk::stop) {
    reporter_.set_fatal(Error{Errc::disk_full, fmt::format("the disk is full ({} free)", to_text(free))});
    return stop("the disk is full");
  }
  reporter_.notify(Loudness::warning,
                   fmt::format("the disk is full ({} free, the next item may write {}): waiting for room",
                               to_text(free), to_text(list_[waiting.front()].estimate.output)));
}

void Coordinator::Run::stop(std::string_view why, bool at_once, int signal) {
  const Halts::Stop stop = halts_.stop(at_once, Clock::now());
  if (!stop.first) return;
  reporter_.set_interrupted();
  reporter_.log(observe::Level::warning, "stop", {{"why", why}});
  if (stop.was_paused) workers_.signal_all(SIGCONT);
  workers_.send_to_all({{"type", "stop"}, {"signal", signal}});
}

void Coordinator::Run::check_stop() {
  const Halts::Step step = halts_.next_step(Clock::now());
  if (step == Halts::Step::none) return;
  for (Seat& seat : seats_) {
    if (seat.worker == 0) continue;
    if (step == Halts::Step::kill) {
      workers_.kill(seat, halts_.kill_reason());
      continue;
    }
    workers_.abandon(seat);
    sweep(seat.leave());
  }
}

/// After a worker's end nobody else will finish or remove what it had under its hands.
void Coordinator::Run::sweep(const std::optional<Job>& job) {
  if (!job || !job->running || list_[job->number].ended) return;
  ItemEnd end = list_.end_of(job->number);
  end.status = was_finished(job->number) ? ItemStatus::done : ItemStatus::interrupted;
  if (end.status == ItemStatus::interrupted) {
    remove_temporaries(items_[job->number]);
    end.error = Error{Errc::cancelled, "interrupted"};
  }
  end_item(end);
}

}  // namespace weir::jobs
