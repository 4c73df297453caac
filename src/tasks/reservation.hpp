#pragma once

#include <optional>
#include <vector>

#include "device/lease.hpp"
#include "tasks/variants.hpp"

namespace weir::tasks {

/// The memory that a command needs on a leased device. A variant is one of several ways to run the command, with a
/// memory need of its own.
struct MemoryRequest {
  std::vector<Variant> variants;  ///< at least one variant
  /// Memory that the last run of the command used (CommandNeeds), GPU context included. If it is set, there is only one
  /// variant, and this value replaces the variant's need.
  std::optional<Bytes> last_need;
  bool trust_unknown = false;  ///< if the free memory is not known, the first variant fits
};

/// Chooses the first variant that fits the memory available on the device now (choose_variant(), or
/// choose_by_last_need()), and reserves its need (or `last_need`) for this lease, so that other holders of the device
/// leave this memory free. A joined lease reserves nothing. Returns the variant's index. Sets `may_fit_later` to true
/// if no variant fits, the free memory is known, and other holders of the device exist, who may free memory later; else
/// to false. Does not set it if the reservations cannot be locked or read. Thread-safe, also between processes:
/// reservations are read and written under one lock. Errors: over_budget if no variant fits; io; timed_out.
Result<std::size_t> reserve_memory(device::Lease& lease, const device::Device& device, const MemoryRequest& request,
                                   bool& may_fit_later);

}  // namespace weir::tasks
