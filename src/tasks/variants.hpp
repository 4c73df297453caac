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

/// One variant: a smaller way to do the same work.
struct Variant {
  std::string name;  ///< for {variant} and WEIR_VARIANT; empty if there is but one
  Bytes need;        ///< free memory on the device
};

/// "medium=5G,small=2G,tiny=512M", from the largest need down. Errors: invalid_argument.
Result<std::vector<Variant>> parse_variants(std::string_view text);

/// Free memory on the device that is promised to nobody.
struct MemoryAvailability {
  Bytes free;          ///< as measured
  Bytes reserved;      ///< to other sharers, and not yet taken by them
  bool known = false;  ///< false: the driver does not say, or says a lower bound
};

/// What a context takes beside the work: 100 to 850 MiB by card and framework (docs/guard.md names the source).
inline constexpr Bytes kContextMargin = 512_MiB;

/// Promises of the other holders of the device, less what their processes hold there already. `own` is our lease.
MemoryAvailability measure_availability(const device::Device& device, const std::vector<device::Holder>& holders,
                                        const device::LeaseClaim& own);

/// The first variant that fits: need + margin <= free - promised. `trust_unknown` takes the first variant where the room is not
/// known. Errors: over_budget with the numbers of every variant. A pure function.
Result<std::size_t> choose_variant(const std::vector<Variant>& variants, const MemoryAvailability& available,
                                   bool trust_unknown);

/// The only variant, where what it `took` the last time, its context included, fits: took <= free - promised. It fits where the
/// room is not known: nobody asked for anything. Errors: over_budget with the numbers. A pure function.
Result<std::size_t> choose_by_last_need(Bytes last_need, const MemoryAvailability& available);

}  // namespace weir::tasks
