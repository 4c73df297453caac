#include "jobs/stop_controller.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {
namespace {

// Time from the end of the grace period, when StopStep::kill is due, to StopStep::abandon.
constexpr auto kKillTimeout = std::chrono::milliseconds{300};
constexpr auto kDiskCheckInterval = std::chrono::seconds{1};

}  // namespace

std::string_view StopController::idle_reason() const {
  if (paused_) return "paused";
  return disk_full_ ? "waiting for room on the disk" : "";
}

bool StopController::pause(Clock::time_point now) {
  if (std::exchange(paused_, true)) return false;
  paused_since_ = now;
  return true;
}

std::optional<Clock::duration> StopController::resume(Clock::time_point now) {
  if (!std::exchange(paused_, false)) return std::nullopt;
  return now - paused_since_;
}

bool StopController::mark_disk_check_if_due(Clock::time_point now) {
  if (stopping_ || now - disk_checked_at_ < kDiskCheckInterval) return false;
  disk_checked_at_ = now;
  return true;
}

bool StopController::set_disk_full(bool full) { return std::exchange(disk_full_, full) != full; }

StopController::StopResult StopController::request_stop(bool at_once, Clock::time_point now) {
  StopResult result;
  if (!std::exchange(stopping_, true)) {
    grace_start_ = now;
    result = {.is_first = true, .was_paused = std::exchange(paused_, false)};
  }
  if (at_once) grace_start_ = std::min(grace_start_, now - stop_grace_);
  at_once_ = at_once_ || at_once;
  return result;
}

StopController::StopStep StopController::next_stop_step(Clock::time_point now) {
  if (!stopping_ || now - grace_start_ < stop_grace_) return StopStep::none;
  if (!std::exchange(killed_, true)) return StopStep::kill;
  return now - grace_start_ < stop_grace_ + kKillTimeout ? StopStep::none : StopStep::abandon;
}

}  // namespace weir::jobs
