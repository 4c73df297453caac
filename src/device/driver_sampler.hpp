#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/child_process.hpp"
#include "device/placement_check.hpp"

namespace weir::device {

/// A request for values from the drivers.
struct SampleRequest {
  std::optional<PciAddress> card;  ///< card whose used and free memory is read; empty: none
  bool needs_evidence = false;     ///< also collect evidence of where the processes `pids` work
  std::vector<pid_t> pids{};       ///< the processes of the command that is monitored
};

/// The values from the drivers.
struct DriverSample {
  std::optional<Bytes> used;                  ///< memory of the card used by all processes; empty if not reported
  std::optional<Bytes> free;                  ///< free memory of the card
  std::optional<PlacementEvidence> evidence;  ///< set if SampleRequest::needs_evidence was
};

/// Reads values from the drivers repeatedly in a child process, which opens NVML (NVIDIA's management library) once. A
/// driver that hangs blocks only the child. Not thread-safe. Create it before the command that is monitored.
class DriverSampler {
 public:
  /// Starts the child. `devices`: the devices of the machine, for the evidence.
  explicit DriverSampler(std::vector<Device> devices);
  DriverSampler(const DriverSampler&) = delete;
  DriverSampler& operator=(const DriverSampler&) = delete;

  /// Sends a request and waits for its sample. If an earlier request is pending, first waits for its sample and
  /// discards it. Returns nothing if all this took longer than `timeout`, or the child has ended.
  std::optional<DriverSample> sample(const SampleRequest& request, std::chrono::milliseconds timeout);
  /// Sends a request without waiting; poll() returns the sample later. Does nothing while a request is pending, or if
  /// the child has ended.
  void start_sample(const SampleRequest& request);
  /// Returns the sample of the pending request, if it has arrived.
  std::optional<DriverSample> poll();
  /// Returns true if there is no child: it was killed, crashed in a driver, or could not be started. A hanging driver
  /// does not end the child.
  bool has_ended() const { return !child_; }
  /// Returns false if there is no child, or if a request is pending for more than two seconds, which means that a
  /// driver hangs.
  bool is_usable() const;

 private:
  std::optional<DriverSample> receive(std::chrono::milliseconds timeout);

  std::optional<ChildProcess> child_;
  FileDescriptor channel_;
  std::optional<std::chrono::steady_clock::time_point> requested_at_;
};

}  // namespace weir::device
