#pragma once

#include <optional>
#include <vector>

#include "device/lease.hpp"
#include "tasks/variants.hpp"

namespace weir::tasks {

/// The memory that work wants on a leased device.
struct MemoryRequest {
  std::vector<Variant> variants;   ///< of one variant or more
  std::optional<Bytes> last_need;  ///< what it took the last time, its context included, where that is its need
  bool trust_unknown = false;
};

/// The variant by the memory that is free on the device now, which those who share it later count as promised to us. `crowded`
/// becomes true if it is refused and others who share the device may give memory back. Thread-safe, also between processes:
/// promises are read and made under one lock. Errors: over_budget; io.
Result<std::size_t> reserve_memory(device::Lease& lease, const device::Device& device, const MemoryRequest& request,
                                   bool& may_fit_later);

}  // namespace weir::tasks
