#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "device/provider.hpp"

namespace weir::device {

/// The result of one probe: a call of Provider::devices() in a child process.
struct ProbeReport {
  std::string name;       ///< Provider::name()
  bool answered = false;  ///< the probe returned a list of devices, maybe an empty one
  bool hung = false;      ///< the probe did not end within the time limit
  /// Why the probe returned no list: "libnvidia-ml.so.1: cannot open ...", "does not answer within 10 s".
  std::string problem = {};
  std::size_t devices = 0;               ///< number of devices found
  std::chrono::milliseconds duration{};  ///< duration of this probe alone
};

/// The devices of the machine.
struct Inventory {
  std::vector<Device> devices;  ///< in PCI order; devices without an address last
  std::vector<ProbeReport> probes;
  bool interrupted = false;  ///< a stop was requested: the lists are empty
};

/// Returns "NVML does not answer (10 s): its cards are not known" for each probe that hung, joined by "; "; empty if no
/// probe hung.
std::string describe_hung_probes(const Inventory& inventory);

/// Merges the lists of several sources into one entry per physical device. Two entries are the same device if their PCI
/// addresses are equal, or, if one has no address, their UUIDs. Values of an earlier list have priority, but a memory
/// reading that covers more of the device replaces one that covers less. Sets the indices of CUDA and Level Zero, which
/// use PCI order. A pure function.
std::vector<Device> merge_devices(const std::vector<std::vector<Device>>& lists);

/// Probes all providers in parallel, each in a separate child process. Waits for all of them together, at most
/// `time_limit`, and up to one second more for each child that must be killed. A stop ends the wait at once; the
/// inventory is then `interrupted`.
Inventory take_inventory(const Providers& providers, std::chrono::milliseconds time_limit = std::chrono::seconds{10},
                         const std::stop_token& stop = {});

}  // namespace weir::device
