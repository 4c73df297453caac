#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {
namespace {

constexpr auto kLongestStart = std::chrono::seconds{120};  // a driver may take long to come up
constexpr int kMostFailedStarts = 3;

}  // namespace

void Coordinator::Run::start_workers() {
  std::size_t wanted = std::min(seats_.size(), list_.remaining());
  for (Seat& seat : seats_) {
    if (wanted-- == 0) return;
    start_worker(seat);
  }
}

void Coordinator::Run::start_worker(Seat& seat) {
  const Json setup{{"type", "setup"},
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
                   {"records", encode_path(rules_.folder)}};
  if (auto started = workers_.start(seat, setup); !started) lose(seat, started.error().what);
}

void Coordinator::Run::read_worker(Seat& seat) {
  while (const auto message = workers_.receive(seat)) on_message(seat, *message);
}

void Coordinator::Run::check_worker(Seat& seat) {
  if (seat.worker == 0) return;
  if (const auto how = workers_.look_for_end(seat)) return worker_ended(seat, *how);
  if (halts_.paused() || seat.ending || !seat.killed_why.empty()) return;
  const auto now = Clock::now();
  if (!seat.ready && now - seat.started > kLongestStart) return workers_.kill(seat, "it did not start");
  if (!seat.job) return;
  const std::chrono::duration<double> silent = now - seat.job->last_sign;
  if (silent > stall_limit(settings_.stall, seats_.expected_s(seat)))
    workers_.kill(seat, fmt::format("no sign of life for {:.0f} s", silent.count()));
}

/// What it had sent before it died is heard first: a finished item stays finished.
void Coordinator::Run::worker_ended(Seat& seat, const std::string& its_end) {
  read_worker(seat);
  const std::string how = seat.killed_why.empty() ? its_end : seat.killed_why;
  const bool unready = !seat.ready;
  const bool expected = seat.ending || halts_.stopping();
  const pid_t worker = seat.worker;
  workers_.remove(seat);
  const auto job = seat.leave();
  reporter_.log(expected && !job ? observe::Level::info : observe::Level::warning, "worker_end",
                {{"device", seat.device->name}, {"worker", worker}, {"why", how}});
  if (halts_.stopping())
    sweep(job);
  else if (job)
    on_death(job->number, how);
  if (expected || seat.lost) return;
  reporter_.count_restart(seat, "died");
  seat.failed_starts = unready ? seat.failed_starts + 1 : 0;
  if (seat.failed_starts >= kMostFailedStarts)
    lose(seat, fmt::format("its worker does not start ({})", how));
  else
    reporter_.notify(Loudness::warning,
                     fmt::format("{}: the worker {}; it is started again", printable(seat.device->name), how));
}

void Coordinator::Run::replace_if_grown(Seat& seat) {
  const bool used_up = settings_.max_items_per_worker > 0 && seat.items_of_worker >= settings_.max_items_per_worker;
  const bool leaks = seat.growth.is_leak();
  if ((!used_up && !leaks) || list_.remaining() == 0) return;
  const Bytes growth{static_cast<std::uint64_t>(seat.growth.most())};
  const std::string why =
      leaks ? fmt::format("grew by {}", to_text(growth)) : fmt::format("has done {} items", seat.items_of_worker);
  reporter_.log(leaks ? observe::Level::warning : observe::Level::info, "worker_replaced",
                {{"device", seat.device->name}, {"worker", seat.worker}, {"why", why}});
  reporter_.count_restart(seat, leaks ? "growth" : "items");
  if (leaks)
    reporter_.notify(Loudness::warning,
                     fmt::format("{}: the worker {}; it is replaced", printable(seat.device->name), why));
  workers_.end(seat, why);
}

/// The device is out of the run; without any, the run ends.
void Coordinator::Run::lose(Seat& seat, const std::string& why) {
  if (seat.lost) return;
  seat.lost = true;
  reporter_.log(observe::Level::error, "device_lost", {{"device", seat.device->name}, {"why", why}});
  reporter_.notify(Loudness::error,
                   fmt::format("{}: {}; it is not used any more", printable(seat.device->name), one_line(why)));
  if (!seats_.all_lost() || list_.remaining() == 0) return;
  reporter_.set_fatal(Error{Errc::device_lost, fmt::format("no device is left: {}", one_line(why))});
  stop("no device is left");
}

}  // namespace weir::jobs
