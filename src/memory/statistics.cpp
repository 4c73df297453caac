#include "memory/statistics.hpp"

#include <algorithm>

#include "base/process_memory.hpp"
#include "base/small_file.hpp"
#include "base/system_memory.hpp"
#include "memory/meter.hpp"

namespace weir::memory {

MemoryStatistics fill_derived(MemoryStatistics statistics) {
  statistics.max_allocated = std::max(statistics.max_allocated, statistics.allocated);
  statistics.max_reserved = std::max(statistics.max_reserved, statistics.reserved);
  statistics.fragmentation = statistics.reserved - statistics.allocated;
  const auto percent = [](Bytes part, Bytes whole) {
    return whole == Bytes{} ? 0 : 100.0 * static_cast<double>(part.count()) / static_cast<double>(whole.count());
  };
  statistics.fragmentation_pct = percent(statistics.fragmentation, statistics.reserved);
  statistics.utilization_pct = percent(statistics.total - statistics.free, statistics.total);
  return statistics;
}

MemoryStatistics read_host_statistics() {
  MemoryStatistics statistics;
  if (const auto malloc = make_malloc_meter()->read()) statistics.allocated = malloc->value;
  statistics.reserved = std::max(resident_memory(), statistics.allocated);
  statistics.max_reserved = peak_resident_memory();
  statistics.total = parse_status_field(read_small_file("/proc/meminfo"), "MemTotal").value_or(Bytes{});
  statistics.free = available_memory();
  return fill_derived(statistics);
}

}  // namespace weir::memory
