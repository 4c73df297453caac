#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory/meter.hpp"

namespace weir::memory {

/// What every meter said at one moment; the order is that of the meters. Empty where one could not say.
using Sample = std::vector<std::optional<Bytes>>;

Sample take_sample(const Meters& meters);

/// Sources of one side that speak of one growth. Signed: a fall is no leak.
struct Growth {
  std::int64_t bytes = 0;  ///< what both witnesses agree on: the smaller growth. With one witness, its growth
  bool confirmed = false;  ///< both witnesses could be read
  std::string evidence;    ///< "malloc +120 MiB, resident memory +118 MiB"
};

/// Growth of one side between two samples. Several meters of the same witness are added up: they count different memory.
Growth growth_between(const Meters& meters, Side side, const Sample& before, const Sample& after);

std::string format_signed_bytes(std::int64_t bytes);  ///< "+120 MiB", "-3 KiB", "0 B"

}  // namespace weir::memory
