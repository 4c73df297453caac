#include <algorithm>
#include <csignal>
#include <system_error>

#include <fmt/format.h>

#include "base/disk_space.hpp"
#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/publish.hpp"

namespace weir::jobs {
namespace {

constexpr auto kLastMoment = std::chrono::milliseconds{300};  // for the system to take killed workers away
constexpr auto kAskDisk = std::chrono::seconds{1};

}  // namespace

void Coordinator::Run::take_signals() {
  for (int signal = signals_->take(); signal != 0; signal = signals_->take()) {
    if (signal == SIGTSTP)
      suspend();
    else
      stop("interrupted", stopping_, signal);
  }
}

/// What the terminal asks of the coordinator is done to the workers too, which are in groups of their own.
void Coordinator::Run::suspend() {
  const bool was_paused = paused_;
  pause(true);
  write_state(progress_now(), false);
  raise(SIGSTOP);  // returns when somebody continues us
  if (!was_paused) pause(false);
}

void Coordinator::Run::check_pause_file() {
  if (settings_.pause_file.empty() || stopping_) return;
  std::error_code ignored;
  const bool wanted = std::filesystem::exists(settings_.pause_file, ignored);
  if (wanted == paused_) return;
  pause(wanted);
  say(Loudness::note, wanted ? fmt::format("paused while {} exists", printable(settings_.pause_file.native()))
                             : std::string{"goes on"});
}

/// A stopped process computes nothing; the time that it stood still counts neither as silence nor as work.
void Coordinator::Run::pause(bool on) {
  if (on == paused_) return;
  paused_ = on;
  const auto now = Clock::now();
  if (on) paused_since_ = now;
  for (Seat& seat : seats_) {
    if (!seat.process) continue;
    seat.process->signal_tree(on ? SIGSTOP : SIGCONT);
    if (on) continue;
    seat.started += now - paused_since_;
    if (seat.job) {
      seat.job->since += now - paused_since_;
      seat.job->last_sign = now;
    }
  }
  tell(observe::Level::info, on ? "pause" : "resume");
}

/// The item is no attempt the poorer. What it was expected to write was too little: it needs more than there was.
void Coordinator::Run::wait_for_disk(ItemNumber number) {
  ItemState& state = states_[number];
  --state.attempts;
  const auto space = disk_space(items_[number].outputs.front().parent_path());
  const Bytes free = space ? space->free : Bytes{};
  state.estimate.output = std::max(state.estimate.output + Bytes{state.estimate.output.count() / 4}, free + 1_MiB);
  crowded_.push_back(number);
}

/// Items that fit go first. The disk is full when none of those that are left does and nothing runs that might remove a
/// file.
void Coordinator::Run::check_disk() {
  if (stopping_ || crowded_.empty()) return;
  const bool busy = std::any_of(seats_.begin(), seats_.end(), [](const Seat& seat) { return seat.job.has_value(); });
  const auto now = Clock::now();
  if (busy || !queue_.empty() || !unmeasured_.empty() || !delayed_.empty() || now - disk_asked_ < kAskDisk) return;
  disk_asked_ = now;
  const auto has_room = [&](ItemNumber number) { return disk_room(number) != Admission::wait; };
  if (std::any_of(crowded_.begin(), crowded_.end(), has_room)) {
    for (const ItemNumber number : std::exchange(crowded_, {})) enqueue(number);
    if (!std::exchange(full_, false)) return;
    tell(observe::Level::info, "disk_room");
    return say(Loudness::note, "there is room on the disk again: goes on");
  }
  if (std::exchange(full_, true)) return;
  const auto space = disk_space(settings_.outputs);
  const Bytes free = space ? space->free : Bytes{};
  tell(observe::Level::warning, "disk_full", {{"folder", encode_path(settings_.outputs)}, {"free", free.count()}});
  if (settings_.on_full_disk == OnFullDisk::stop) {
    totals_.fatal = Error{Errc::disk_full, fmt::format("the disk is full ({} free)", to_text(free))};
    return stop("the disk is full", false);
  }
  say(Loudness::warning, fmt::format("the disk is full ({} free, the next item may write {}): waiting for room",
                                     to_text(free), to_text(states_[crowded_.front()].estimate.output)));
}

void Coordinator::Run::stop(std::string why, bool at_once, int signal) {
  const auto now = Clock::now();
  if (!stopping_) {
    stopping_ = true;
    stop_since_ = now;
    totals_.interrupted = true;
    tell(observe::Level::warning, "stop", {{"why", why}});
    const bool was_paused = std::exchange(paused_, false);
    for (Seat& seat : seats_) {
      if (!seat.process) continue;
      if (was_paused) seat.process->signal_tree(SIGCONT);
      (void)seat.process->send({{"type", "stop"}, {"signal", signal}});
    }
  }
  if (at_once) stop_since_ = std::min(stop_since_, now - settings_.stop_grace);
  hurried_ = hurried_ || at_once;
}

void Coordinator::Run::check_stop() {
  if (!stopping_) return;
  const auto spent = Clock::now() - stop_since_;
  if (spent >= settings_.stop_grace && !std::exchange(killed_, true)) {
    for (Seat& seat : seats_) kill_worker(seat, hurried_ ? "a second signal came" : "the run was stopped");
  }
  if (spent < settings_.stop_grace + kLastMoment) return;
  for (Seat& seat : seats_) {
    if (!seat.process) continue;
    if (seat.process->is_uninterruptible())
      say(Loudness::error, fmt::format("{}: process {} waits in the kernel and cannot be ended",
                                       printable(seat.device->name), seat.process->pid()));
    sweep(seat);
    seat.process->abandon();
    seat.process.reset();
  }
}

/// After a worker's end nobody else will finish or remove what it had under its hands.
void Coordinator::Run::sweep(Seat& seat) {
  const auto job = std::exchange(seat.job, std::nullopt);
  if (!job || !job->running || states_[job->number].ended) return;
  const Item& item = items_[job->number];
  ItemEnd end = end_of(job->number);
  end.status = was_finished(job->number) ? ItemStatus::done : ItemStatus::interrupted;
  if (end.status == ItemStatus::interrupted) {
    remove_temporaries(item);
    end.error = Error{Errc::cancelled, "interrupted"};
  }
  end_item(std::move(end));
}

}  // namespace weir::jobs
