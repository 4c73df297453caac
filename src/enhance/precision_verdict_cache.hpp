#pragma once

#include <cstdint>
#include <optional>

#include "enhance/precision_check.hpp"

namespace weir::enhance {

/// Returns the cache key of a verdict: a hash of everything in the network that changes a result (nn::fingerprint), of
/// the instruction set, and of `version`, the version of the check.
std::uint64_t verdict_key(const nn::Graph& graph, const compute::Kernels& kernels, int version);

/// Reads a verdict from a file in $XDG_CACHE_HOME/weir/precision, or in ~/.cache/weir/precision if XDG_CACHE_HOME is
/// not set. Returns nothing if the file is missing or not readable.
std::optional<PrecisionVerdict> load_verdict(std::uint64_t key);
/// Writes a verdict to the same folder. The file appears complete or not at all. A failure is ignored, because this is
/// only a cache.
void save_verdict(std::uint64_t key, const PrecisionVerdict& verdict);

}  // namespace weir::enhance
