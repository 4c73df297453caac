#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "device/marked_processes.hpp"
#include "device/proof.hpp"
#include "tasks/device_choice.hpp"
#include "tasks/machine_probe.hpp"
#include "tasks/variants.hpp"

namespace weir::tasks {

/// What stands for {name} in the words of a command.
using Names = std::vector<std::pair<std::string, std::string>>;

/// A command and how it is to be guarded.
struct GuardedCommand {
  std::vector<std::string> words;  ///< {variant}, {device} and the names are replaced in them
  Names names;
  device::EnvironmentChanges environment;  ///< beside the masks
  bool leased = true;                      ///< false: it takes the lease itself, for the part that needs the device
  std::vector<Variant> variants{Variant{}};
  bool recall = false;  ///< what it took the last time is its need; for one variant that asks for nothing
  DeviceWish wish;
  bool strict_device = false;  ///< an unknown placement fails too
  std::optional<std::chrono::milliseconds> limit;
  std::chrono::milliseconds grace = std::chrono::seconds{5};  ///< from an interruption passed on to SIGTERM
  std::function<int()> first_signal;                          ///< device::StopRules::first_signal
  Bytes max_leak = 100_MiB;
  int input = -1, output = -1, error = -1;  ///< descriptors for its streams; -1: ours
};

/// What happened.
struct GuardedEnd {
  int status = 0;              ///< of the command
  bool passes_status = false;  ///< it ended by itself, be it after an interruption
  std::optional<Error>
      error;             ///< why it was refused, stopped or is not to be trusted; empty: all is well but for the status
  bool refused = false;  ///< it was never started, for want of a device or of memory
  bool crowded = false;  ///< it was, and others who share the device may give memory back
  bool leaks = false;    ///< the device was its alone, and more than allowed is in use there that was not before
  bool untrusted = false;              ///< the device keeps memory that no process holds, or is gone
  std::optional<device::Device> used;  ///< the device as it was before
  std::string device, variant;
  std::size_t variant_number = 0;
  device::Proof placement;
  bool device_measured = false;                    ///< whether the next three are known
  bool driver_silent = false;                      ///< it answered before the command, and after it no more
  Bytes device_before, device_peak, device_after;  ///< in use on the whole device
  Bytes device_took;  ///< the peak above what was before, if it had the device alone; else 0
  Bytes allowed;      ///< what its variant needs, with the context; 0: nothing was asked
  /// What became of memory that stayed on the device: "freed", "others" hold it, "failed", "unknown"; empty: none stayed.
  std::string emergency;
  std::string reset_command;  ///< the vendor's, where it failed
  Bytes peak;       ///< resident memory of its processes together, and at least that of the largest (CommandEnd::peak)
  int samples = 0;  ///< looks while it ran; 0: the device's peak is what was seen before and after it
  std::vector<device::EndedProcess> left_behind;  ///< what it started and what outlived it
  double waited_s = 0, took_s = 0;
};

/// For people, as things happen; called on the calling thread. Both must be callable.
struct Tell {
  std::function<void(const std::string&)> note;
  std::function<void(const std::string&)> waiting;  ///< for whom, once
};

/// Leases a device of the wish, takes the first variant that fits the free memory, runs the command under the masks, samples
/// memory, proves the placement and looks whether the device is as it was. A command on another device is ended. Without
/// an allowed device it is refused. The command's processes end with this call, whatever happens. One that is not
/// `leased` gets the masks of the best device of the wish and no lease; what stays on the device is then not judged.
/// A device without room for any variant is left out and the next one tried. `probe` is kept from one command to the next.
GuardedEnd run_guarded(const GuardedCommand& command, MachineProbe& probe, const Environment& environment,
                       const std::stop_token& stop, const Tell& tell);

/// Whether trying again can help: it failed by itself, was too slow, or did not find room. Not if it cannot be started, works
/// on the wrong device or was interrupted.
bool may_retry(const GuardedEnd& end);

/// `word` with every {name} of `values` replaced. Other braces stay: commands have their own.
std::string replace_names(const std::string& word, const Names& values);

}  // namespace weir::tasks
