#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/child_process.hpp"
#include "device/placement_check.hpp"

namespace weir::device {

/// What is asked of the drivers.
struct SampleRequest {
  std::optional<PciAddress> card;  ///< memory in use there
  bool needs_evidence = false;     ///< where the processes `pids` work
  std::vector<pid_t> pids;
};

/// What they said.
struct DriverSample {
  std::optional<Bytes> used;  ///< on the whole card, by all processes; empty if nobody says
  std::optional<Bytes> free;  ///< there
  std::optional<PlacementEvidence> evidence;
};

/// Asks the drivers again and again from a child process, which opens NVML once: a driver that hangs holds up the child
/// alone. Not thread-safe. Start it before the command that is to be watched.
class DriverSampler {
 public:
  /// `devices`: of the machine, for evidence().
  explicit DriverSampler(std::vector<Device> devices);
  DriverSampler(const DriverSampler&) = delete;
  DriverSampler& operator=(const DriverSampler&) = delete;

  /// Asks and waits; answers to earlier questions are dropped. Empty: no driver answered within `patience`, or there is no
  /// child to ask.
  std::optional<DriverSample> sample(const SampleRequest& request, std::chrono::milliseconds timeout);
  /// Asks without waiting; poll() has the answer later. Nothing happens while an answer is awaited.
  void start_sample(const SampleRequest& request);
  std::optional<DriverSample> poll();
  /// The child ended, as it was killed or crashed in a driver: not a sign that a driver hangs.
  bool has_ended() const { return !child_; }
  /// False: the child ended, or an answer is awaited for longer than any working driver takes (two seconds).
  bool is_usable() const;

 private:
  std::optional<DriverSample> receive(std::chrono::milliseconds timeout);

  std::optional<ChildProcess> child_;
  FileDescriptor channel_;
  std::optional<std::chrono::steady_clock::time_point> requested_at_;
};

}  // namespace weir::device
