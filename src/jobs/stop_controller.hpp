#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "jobs/retry_policy.hpp"

namespace weir::jobs {

/// Stores whether a run is paused, waits for disk space or is being stopped, and returns what the caller must do next.
/// The caller passes the time and does the work: this class signals no worker and checks no disk. Not thread-safe.
class StopController {
 public:
  /// `stop_grace`: the grace period, the time that workers have to end by themselves when the run is stopped.
  explicit StopController(std::chrono::milliseconds stop_grace) : stop_grace_{stop_grace} {}

  bool is_paused() const { return paused_; }
  bool is_stopping() const { return stopping_; }
  /// Returns true if the run is neither paused nor being stopped. A full disk does not matter here: the caller keeps
  /// the items that wait for disk space apart from the items that may start.
  bool may_start_items() const { return !paused_ && !stopping_; }
  /// Returns for messages why no item can start: "paused"; else "waiting for room on the disk" while the disk is full
  /// (set_disk_full()); else an empty text.
  std::string_view idle_reason() const;

  /// Pauses the run. Returns false if it is paused already.
  bool pause(Clock::time_point now);
  /// Ends the pause. Returns how long the run was paused; empty if it was not.
  std::optional<Clock::duration> resume(Clock::time_point now);

  /// Returns true if the caller must check the free disk space now, and stores `now` as the time of this check. It
  /// returns true at most once a second, and never while the run is being stopped.
  bool mark_disk_check_if_due(Clock::time_point now);
  /// Stores whether the disk is full, as the caller has found: no worker is busy, and no waiting item fits into the
  /// free space. Returns true if the stored value has changed.
  bool set_disk_full(bool full);

  /// What the caller must do after request_stop().
  struct StopResult {
    bool is_first = false;    ///< this is the first request: the caller must ask the workers to end
    bool was_paused = false;  ///< with is_first: the workers are paused, and the caller must continue them first
  };
  /// Starts the stop of the run, and ends a pause. `at_once`: the grace period of the workers ends now. (The caller
  /// sets it for a signal that arrives while the run is being stopped.)
  StopResult request_stop(bool at_once, Clock::time_point now);

  enum class StopStep {
    none,
    kill,    ///< kill the workers that are left; returned once, at the end of the grace period
    abandon  ///< stop waiting for workers that live after the kill; returned from 0.3 s after the grace period on
  };
  /// Returns the step that the caller must do now.
  StopStep next_stop_step(Clock::time_point now);
  /// Returns why the workers are killed, for messages. "A second signal" means that `at_once` was set.
  std::string_view kill_reason() const { return at_once_ ? "a second signal came" : "the run was stopped"; }

 private:
  std::chrono::milliseconds stop_grace_;
  bool paused_ = false, disk_full_ = false, stopping_ = false, at_once_ = false, killed_ = false;
  Clock::time_point paused_since_{}, disk_checked_at_{};
  Clock::time_point grace_start_{};  // start of the grace period; moved into the past to end the period at once
};

}  // namespace weir::jobs
