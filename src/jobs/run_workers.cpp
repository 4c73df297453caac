#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {
namespace {

constexpr auto kLongestStart = std::chrono::seconds{120};  // a driver may take long to come up
constexpr int kMostFailedStarts = 3;

}  // namespace

void Coordinator::Run::start_workers() {
  const std::size_t wanted = std::min(seats_.size(), remaining_);
  for (std::size_t i = 0; i < wanted; ++i) start_worker(seats_[i]);
}

void Coordinator::Run::start_worker(Seat& seat) {
  auto process = WorkerProcess::start(settings_.worker_command, *seat.device, settings_.inherited);
  if (!process) return lose(seat, process.error().what);
  seat.process.emplace(*std::move(process));
  seat.ready = seat.ending = false;
  seat.killed_why.clear();
  seat.host = seat.pool = seat.memory = {};
  seat.items_of_worker = 0;
  seat.rss = {};
  seat.started = seat.idle_since = Clock::now();
  tell(observe::Level::info, "worker_start",
       {{"device", seat.device->name}, {"identity", seat.identity}, {"worker", seat.process->pid()}});
  send_or_kill(seat, {{"type", "setup"},
                      {"task", settings_.task},
                      {"settings", settings_.settings},
                      {"device", seat.device->name},
                      {"identity", seat.identity},
                      {"lease", seat.device->lease},
                      {"lease_wait_ms", settings_.lease_wait.count()},
                      {"ram", share_.count()},
                      {"vram", seat.device->vram.count()},
                      {"threads", seat.device->threads},
                      {"keep_records", rules_.keep},
                      {"records", encode_path(rules_.folder)}});
}

void Coordinator::Run::read_worker(Seat& seat) {
  while (seat.process) {
    auto message = seat.process->receive();
    if (!message && message.error().code != Errc::io)
      return kill_worker(seat, fmt::format("its message cannot be read: {}", message.error().what));
    if (!message || !*message) return;
    on_message(seat, **message);
  }
}

void Coordinator::Run::check_worker(Seat& seat) {
  if (!seat.process) return;
  if (seat.process->reap()) return worker_ended(seat);
  if (paused_ || seat.ending || !seat.killed_why.empty()) return;
  const auto now = Clock::now();
  if (!seat.ready && now - seat.started > kLongestStart) return kill_worker(seat, "it did not start");
  if (!seat.job) return;
  const ItemState& state = states_[seat.job->number];
  const double speed = speed_of(seat);
  const double expected = speed > 0 ? state.estimate.cost / speed : state.estimate.seconds;
  const std::chrono::duration<double> silent = now - seat.job->last_sign;
  if (silent > stall_limit(settings_.stall, expected))
    kill_worker(seat, fmt::format("no sign of life for {:.0f} s", silent.count()));
}

/// What it had sent before it died is heard first: a finished item stays finished.
void Coordinator::Run::worker_ended(Seat& seat) {
  read_worker(seat);
  if (!seat.process) return;
  const std::string how = seat.killed_why.empty() ? seat.process->end() : seat.killed_why;
  const bool unready = !seat.ready;
  const bool expected = seat.ending || stopping_;
  const auto job = std::exchange(seat.job, std::nullopt);
  tell(expected && !job ? observe::Level::info : observe::Level::warning, "worker_end",
       {{"device", seat.device->name}, {"worker", seat.process->pid()}, {"why", how}});
  seat.process.reset();
  seat.ready = seat.ending = false;
  if (job && !stopping_) on_death(job->number, how);
  if (job && stopping_) seat.job = job;  // for the sweep
  if (stopping_) sweep(seat);
  if (expected || seat.lost) return;
  metrics_.add(metric::kRestarts, 1, {{"device", seat.device->name}, {"reason", "died"}});
  seat.failed_starts = unready ? seat.failed_starts + 1 : 0;
  if (seat.failed_starts >= kMostFailedStarts)
    lose(seat, fmt::format("its worker does not start ({})", how));
  else
    say(Loudness::warning, fmt::format("{}: the worker {}; it is started again", printable(seat.device->name), how));
}

void Coordinator::Run::kill_worker(Seat& seat, std::string why) {
  if (!seat.process || !seat.killed_why.empty()) return;
  seat.killed_why = fmt::format("was killed: {}", why);
  seat.process->signal_tree(SIGCONT);  // what it runs is ended by the guardian, which cannot act while it is stopped
  seat.process->signal(SIGKILL);
}

/// Between two items.
void Coordinator::Run::end_worker(Seat& seat, std::string_view why) {
  seat.ending = true;
  tell(observe::Level::debug, "worker_end_asked",
       {{"device", seat.device->name}, {"worker", seat.process->pid()}, {"why", why}});
  send_or_kill(seat, {{"type", "end"}});
}

void Coordinator::Run::replace_if_grown(Seat& seat) {
  const bool used_up = settings_.max_items_per_worker > 0 && seat.items_of_worker >= settings_.max_items_per_worker;
  const bool leaks = seat.host.is_leak() || seat.pool.is_leak() || seat.memory.is_leak();
  if ((!used_up && !leaks) || remaining_ == 0) return;
  const double growth = std::max({seat.host.growth_bytes(), seat.pool.growth_bytes(), seat.memory.growth_bytes(), 0.0});
  const std::string why = leaks ? fmt::format("grew by {}", to_text(Bytes{static_cast<std::uint64_t>(growth)}))
                                : fmt::format("has done {} items", seat.items_of_worker);
  tell(leaks ? observe::Level::warning : observe::Level::info, "worker_replaced",
       {{"device", seat.device->name}, {"worker", seat.process->pid()}, {"why", why}});
  metrics_.add(metric::kRestarts, 1, {{"device", seat.device->name}, {"reason", leaks ? "growth" : "items"}});
  if (leaks)
    say(Loudness::warning, fmt::format("{}: the worker {}; it is replaced", printable(seat.device->name), why));
  end_worker(seat, why);
}

/// The device is out of the run; without any, the run ends.
void Coordinator::Run::lose(Seat& seat, const std::string& why) {
  if (seat.lost) return;
  seat.lost = true;
  tell(observe::Level::error, "device_lost", {{"device", seat.device->name}, {"why", why}});
  say(Loudness::error, fmt::format("{}: {}; it is not used any more", printable(seat.device->name), one_line(why)));
  if (std::all_of(seats_.begin(), seats_.end(), [](const Seat& each) { return each.lost; }) && remaining_ > 0) {
    totals_.fatal = Error{Errc::device_lost, fmt::format("no device is left: {}", one_line(why))};
    stop("no device is left", false);
  }
}

}  // namespace weir::jobs
