#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "device/marked_processes.hpp"
#include "device/placement_check.hpp"
#include "tasks/device_choice.hpp"
#include "tasks/machine_probe.hpp"
#include "tasks/variants.hpp"

namespace weir::tasks {

/// Pairs of a placeholder name and its value: {name} in the arguments of a command is replaced by the value.
using PlaceholderValues = std::vector<std::pair<std::string, std::string>>;

// A lease is the right to use a device, which programs grant each other through lock files. A variant is one of several
// ways to run a command, with a memory need of its own. The placement of a command is the device on which it works.

/// A command, and the rules for running it on a leased device.
struct GuardedCommand {
  std::vector<std::string> arguments;  ///< {variant}, {device} and `placeholders` are replaced in them
  PlaceholderValues placeholders;
  device::EnvironmentChanges environment;  ///< variables to set in addition to the mask, which hides other devices
  /// Lease the device before the command starts. If false, the command itself takes the lease, for the part of its work
  /// that needs the device.
  bool lease_before_start = true;
  std::vector<Variant> variants{Variant{}};  ///< at least one; the first that fits is used
  /// Use the memory of the command's last run (CommandNeeds) as its need. Only for a single variant without a need.
  bool use_last_need = false;
  DeviceRequest device_request;
  bool strict_device = false;  ///< an unknown placement (device::PlacementStatus) is an error too
  std::optional<std::chrono::milliseconds> time_limit;        ///< longest run time; empty: no limit
  std::chrono::milliseconds grace = std::chrono::seconds{5};  ///< time from the first signal of a stop to SIGTERM
  /// Returns the number of the first signal of a stop; 0: no signal. Empty function: SIGINT.
  std::function<int()> first_signal;
  Bytes max_leak = 100_MiB;  ///< largest growth of the memory in use on the device that does not count as a leak
  /// File descriptors of the command's standard streams; -1: the stream of this process.
  int input_fd = -1, output_fd = -1, error_fd = -1;
};

/// The result of a guarded command.
struct GuardedResult {
  /// Exit status of the command; 128 + N after signal N; that of start_failure_status() if its program could not be
  /// started. 0 if the command was not started for another reason (`error`).
  int status = 0;
  /// The command was started, and it ended without SIGTERM or SIGKILL from weir. Also true if it ended because of the
  /// signal of GuardedCommand::first_signal.
  bool ended_by_itself = false;
  /// Why the command was refused, could not be started, was stopped, or failed a check such as the placement. Empty: no
  /// error; `status` may still be a failure.
  std::optional<Error> error;
  /// The command was not started because of `error`: no device could be leased, or not enough memory is free. False if
  /// the start was cancelled or the program could not be executed.
  bool refused = false;
  /// The command was refused because not enough memory is free, and other holders of the device may free memory later.
  bool may_fit_later = false;
  /// After the command, the memory in use on the device is larger than before it, by more than `max_leak`, and other
  /// processes are not known to be the reason. Always false without an exclusive lease (Lease::is_exclusive()), and
  /// if the driver did not answer after the command.
  bool leaks = false;
  bool device_untrusted = false;  ///< memory that no process holds stays in use on the device, or the device is gone
  std::optional<device::Device> initial_device;  ///< the device as it was before the command
  std::string device, variant;                   ///< text of the device (device::to_text), name of the variant
  std::size_t variant_index = 0;                 ///< index in GuardedCommand::variants
  device::PlacementCheck placement;
  bool device_measured = false;      ///< device_before and device_peak are known
  bool driver_unresponsive = false;  ///< it answered before, but not after the command: device_after is invalid
  Bytes device_before, device_peak, device_after;  ///< memory in use on the whole device
  Bytes device_growth;      ///< device_peak - device_before; 0 without an exclusive lease (Lease::is_exclusive())
  Bytes need_with_context;  ///< need of the variant plus kContextMargin; 0: no need was given
  /// What respond_to_leak() found: "freed"; "others" (other processes use the memory); "failed" (no process holds the
  /// memory, or the device is gone); "unknown" (not all processes on the device are known). Empty: it was not called,
  /// because `leaks` was false.
  std::string leak_resolution;
  std::string reset_command;  ///< with leak_resolution "failed": the vendor's command to reset the device; may be empty
  /// Largest resident memory of all processes of the command together.
  Bytes peak_ram;
  /// Number of memory samples while the command ran. 0: device_peak is the larger of device_before and device_after.
  int samples = 0;
  std::vector<device::EndedProcess> leftover_processes;  ///< processes that the command started and that outlived it
  double waited_s = 0;                                   ///< time of all waits for leases
  double duration_s = 0;                                 ///< run time of the command
};

/// Callbacks for messages to the user while a command runs. Called on the calling thread. Both must be set.
struct CommandCallbacks {
  std::function<void(const std::string&)> on_note;
  /// Called once if the command must wait for a lease. The text names the programs that hold the devices.
  std::function<void(const std::string&)> on_waiting;
};

/// Runs a command on a leased device, in these steps:
/// 1. Leases an accepted device (lease_device()). If no device is accepted, the command is refused.
/// 2. Chooses the first variant that fits the free memory. If no variant fits, repeats step 1 with the other accepted
///    devices; if no device is left, the command is refused.
/// 3. Runs the command with the device's mask. Meanwhile samples the memory and checks the placement; ends a command
///    that works on another device than the leased one.
/// 4. With an exclusive lease, compares the memory in use on the device with the value before the command. After a leak
///    calls respond_to_leak().
/// All processes of the command end before this call returns, except those that the kernel cannot end.
///
/// A command without `lease_before_start` gets the mask of the best accepted device, but no lease, and no variant is
/// chosen: only step 3 is done. Reuse `probe` for the next commands, because it caches the inventory of the devices.
GuardedResult run_guarded_command(const GuardedCommand& command, MachineProbe& probe, const Environment& environment,
                                  const std::stop_token& stop, const CommandCallbacks& callbacks);

/// Returns true if another attempt can help: the command ended with a failure status, or it exceeded its time limit, or
/// its wait for a lease timed out, or not enough memory was free. Returns false in all other cases, for example if the
/// command succeeded, cannot be started, used another device, leaked memory or was interrupted.
bool may_retry(const GuardedResult& result);

/// Returns `argument` with every {name} of `values` replaced. Other braces stay, because commands may use them.
std::string replace_placeholders(const std::string& argument, const PlaceholderValues& values);

}  // namespace weir::tasks
