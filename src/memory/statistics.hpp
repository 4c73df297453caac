#pragma once

#include "base/bytes.hpp"

namespace weir::memory {

/// Memory at one moment. Free is what the device (or the machine) has left for everybody, never a difference of this
/// process's own counters.
struct Statistics {
  Bytes allocated;      ///< handed out to the program
  Bytes reserved;       ///< held by its allocators
  Bytes max_allocated;  ///< the most since the peaks were reset
  Bytes max_reserved;
  Bytes total, free;
  double utilization_pct = 0;    ///< of total, by everybody: 100 * (total - free) / total
  Bytes fragmentation;           ///< reserved - allocated
  double fragmentation_pct = 0;  ///< of reserved
};

/// Fills in what follows from the other numbers.
Statistics complete(Statistics statistics);

/// Of this process and this machine: malloc and resident memory, MemTotal and what is available under every control group.
Statistics host_statistics();

}  // namespace weir::memory
