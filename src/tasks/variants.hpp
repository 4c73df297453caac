#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "device/device.hpp"
#include "device/lease_file.hpp"
#include "device/lease_nesting.hpp"

namespace weir::tasks {

/// One variant: one of several ways to do the same work, with a memory need of its own.
struct Variant {
  std::string name;  ///< value of {variant} and WEIR_VARIANT; empty if there is only one variant
  Bytes need;        ///< free memory that the variant needs on the device, without its GPU context; 0: no need is given
};

/// Parses "medium=5G,small=2G,tiny=512M"; each need must be smaller than the one before it. Errors: invalid_argument.
Result<std::vector<Variant>> parse_variants(std::string_view text);

/// The memory on a device that a new holder of a lease on it can use: `free` minus `reserved`.
struct DeviceMemoryAvailability {
  Bytes free;          ///< free memory as the driver reports it; 0 if not `known`
  Bytes reserved;      ///< memory that other holders of leases have reserved and do not use yet
  bool known = false;  ///< `free` is known; false: the driver reports no value, or only a lower bound
};

/// The memory that is added to a variant's need for its GPU context (the driver's data of a process). A context uses
/// 100 to 850 MiB, depending on card and framework (docs/guard.md names the source).
inline constexpr Bytes kContextMargin = 512_MiB;

/// Computes the availability from device.free and from the leases of `holders`. For each lease, the part of its
/// reservation that its processes do not use yet counts as reserved. `own`: the lease of this process; its own
/// reservation does not count.
DeviceMemoryAvailability measure_availability(const device::Device& device, const std::vector<device::Holder>& holders,
                                              const device::LeaseClaim& own);

/// Returns the index of the first variant that fits. Pure function.
/// - If the free memory is known, a variant fits if its need is 0 or need + kContextMargin + reserved <= free.
/// - If the free memory is not known and `trust_unknown` is true, the first variant fits.
/// - If the free memory is not known and `trust_unknown` is false, only a variant with need 0 fits.
/// Errors: over_budget, with the needs of all variants, if no variant fits.
Result<std::size_t> choose_variant(const std::vector<Variant>& variants, const DeviceMemoryAvailability& available,
                                   bool trust_unknown);

/// Checks whether a command with a single variant fits, by `last_need`, the memory that its last run used on the device
/// (GPU context included). Returns 0, the index of the variant, if last_need + reserved <= free, or if the free memory
/// is not known. Pure function. Errors: over_budget, with these three numbers, if it does not fit.
Result<std::size_t> choose_by_last_need(Bytes last_need, const DeviceMemoryAvailability& available);

}  // namespace weir::tasks
