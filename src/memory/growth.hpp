#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory/meter.hpp"

namespace weir::memory {

/// Values of all meters at one moment, in the order of the meters; empty for a meter that could not be read.
using Sample = std::vector<std::optional<Bytes>>;

/// Reads all meters.
Sample take_sample(const Meters& meters);

/// Growth of memory on one side, measured by meters of one or both layers. Signed: a decrease is not a leak.
struct Growth {
  /// growth that both layers confirm, that is, the smaller of the two; with one layer, the growth of that layer
  std::int64_t bytes = 0;
  bool confirmed = false;  ///< meters of both layers could be read
  std::string evidence;    ///< growth of each meter: "malloc +120 MiB, resident memory +118 MiB"; empty: no reading
};

/// Returns the growth of one side between two samples of these meters. Growths of several meters of the same layer are
/// added, because they count different memory.
Growth growth_between(const Meters& meters, Side side, const Sample& before, const Sample& after);

/// Formats a signed number of bytes, for example "+120 MiB", "-3 KiB", "0 B".
std::string format_signed_bytes(std::int64_t bytes);

}  // namespace weir::memory
