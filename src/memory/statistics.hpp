#pragma once

#include "base/bytes.hpp"

namespace weir::memory {

/// Memory of one side (a device, or the machine) at one moment.
struct MemoryStatistics {
  Bytes allocated;      ///< allocated by the program
  Bytes reserved;       ///< held by the allocators of the program
  Bytes max_allocated;  ///< largest `allocated` since the peaks were reset
  Bytes max_reserved;   ///< largest `reserved` since the peaks were reset
  Bytes total;          ///< memory of the device or the machine
  /// what the device or the machine has left for all processes; never computed from the counters of this process
  Bytes free;
  double utilization_pct = 0;    ///< used part of `total` by all processes: 100 * (total - free) / total
  Bytes fragmentation;           ///< reserved - allocated
  double fragmentation_pct = 0;  ///< fragmentation in percent of `reserved`
};

/// Returns the statistics with the fields that follow from the others: computes the fragmentation and the percentages,
/// and raises the peaks to at least the current values.
MemoryStatistics fill_derived(MemoryStatistics statistics);

/// Returns the statistics of this process and this machine. `allocated` and `max_allocated`: the bytes of
/// make_malloc_meter(), because malloc keeps no peak; `reserved`: the resident memory, but at least `allocated`;
/// `max_reserved`: the peak of the resident memory, but at least `reserved`; `total`: MemTotal; `free`:
/// available_memory().
MemoryStatistics read_host_statistics();

}  // namespace weir::memory
