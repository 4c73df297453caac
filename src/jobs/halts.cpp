#include "jobs/halts.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {
namespace {

constexpr auto kAfterKill = std::chrono::milliseconds{300};  // for the system to take killed workers away
constexpr auto kAskDisk = std::chrono::seconds{1};

}  // namespace

std::string_view Halts::text() const {
  if (paused_) return "paused";
  return disk_full_ ? "waiting for room on the disk" : "";
}

bool Halts::pause(Clock::time_point now) {
  if (std::exchange(paused_, true)) return false;
  paused_since_ = now;
  return true;
}

std::optional<Clock::duration> Halts::resume(Clock::time_point now) {
  if (!std::exchange(paused_, false)) return std::nullopt;
  return now - paused_since_;
}

bool Halts::ask_disk(Clock::time_point now) {
  if (stopping_ || now - disk_asked_ < kAskDisk) return false;
  disk_asked_ = now;
  return true;
}

bool Halts::set_disk_full(bool full) { return std::exchange(disk_full_, full) != full; }

Halts::Stop Halts::stop(bool at_once, Clock::time_point now) {
  Stop asked;
  if (!std::exchange(stopping_, true)) {
    stop_since_ = now;
    asked = {.first = true, .was_paused = std::exchange(paused_, false)};
  }
  if (at_once) stop_since_ = std::min(stop_since_, now - stop_grace_);
  at_once_ = at_once_ || at_once;
  return asked;
}

Halts::Step Halts::next_step(Clock::time_point now) {
  if (!stopping_ || now - stop_since_ < stop_grace_) return Step::none;
  if (!std::exchange(killed_, true)) return Step::kill;
  return now - stop_since_ < stop_grace_ + kAfterKill ? Step::none : Step::abandon;
}

}  // namespace weir::jobs
