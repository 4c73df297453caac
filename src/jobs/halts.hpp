#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "jobs/watch.hpp"

namespace weir::jobs {

/// What keeps a run from working, for a while or for good: a pause, a full disk, a stop. It knows the state and what is to be
/// done next; who has the workers does it. Time is passed in. Not thread-safe.
class Halts {
 public:
  /// `stop_grace`: what workers have to end by themselves when the run is stopped.
  explicit Halts(std::chrono::milliseconds stop_grace) : stop_grace_{stop_grace} {}

  bool paused() const { return paused_; }
  bool stopping() const { return stopping_; }
  bool working() const { return !paused_ && !stopping_; }
  /// For people: "paused", "waiting for room on the disk"; empty: neither.
  std::string_view text() const;

  /// False if it is paused already.
  bool pause(Clock::time_point now);
  /// How long it was paused; empty if it was not.
  std::optional<Clock::duration> resume(Clock::time_point now);

  /// The disk is asked for room once a second at most. True if it is to be asked now.
  bool ask_disk(Clock::time_point now);
  /// What the disk said. True if it said otherwise before.
  bool set_disk_full(bool full);

  struct Stop {
    bool first = false;       ///< the run was not stopping: the workers are to be asked to end
    bool was_paused = false;  ///< and to be continued before
  };
  /// `at_once`: the workers' time to end by themselves is over.
  Stop stop(bool at_once, Clock::time_point now);

  enum class Step {
    none,
    kill,    ///< the workers that are left; asked for once
    abandon  ///< those that even that did not end
  };
  Step next_step(Clock::time_point now);
  std::string_view kill_reason() const { return at_once_ ? "a second signal came" : "the run was stopped"; }

 private:
  std::chrono::milliseconds stop_grace_;
  bool paused_ = false, disk_full_ = false, stopping_ = false, at_once_ = false, killed_ = false;
  Clock::time_point paused_since_{}, disk_asked_{}, stop_since_{};
};

}  // namespace weir::jobs
