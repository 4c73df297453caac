#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "device/provider.hpp"

namespace weir::device {

/// What one probe did.
struct ProbeReport {
  std::string name;
  bool answered = false;
  bool hung = false;         ///< it did not answer before the deadline
  std::string problem = {};  ///< why not: "libnvidia-ml.so.1: cannot open ...", "does not answer within 10 s"
  std::size_t devices = 0;
  std::chrono::milliseconds duration{};  ///< its own time, not that of the slowest
};

struct Inventory {
  std::vector<Device> devices;  ///< in PCI order; those without an address last
  std::vector<ProbeReport> probes;
  bool interrupted = false;  ///< the look was stopped: what is here says nothing
};

/// "NVML does not answer (10 s): its cards are not known", for each probe that hung; empty if none did.
std::string describe_hung_probes(const Inventory& inventory);

/// One entry per physical device from what each source says, joined by PCI address, else by UUID. What an earlier list
/// says stands; a reading of the whole device replaces one of a part. Fills in the indices of the stacks that go by PCI
/// order. A pure function.
std::vector<Device> merge_devices(const std::vector<std::vector<Device>>& lists);

/// Asks every provider at the same time, each in a child process of its own, and waits until the deadline at most. A stop
/// ends the wait at once; the inventory is then `interrupted`.
Inventory take_inventory(const Providers& providers, std::chrono::milliseconds deadline = std::chrono::seconds{10},
                         const std::stop_token& stop = {});

}  // namespace weir::device
