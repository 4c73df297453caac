#pragma once

#include <cstdint>
#include <optional>

#include "enhance/precision_check.hpp"

namespace weir::enhance {

/// Under which a verdict is remembered: everything of the network that changes a result, the instruction set, and the
/// version of the check.
std::uint64_t verdict_key(const nn::Graph& graph, const compute::Kernels& kernels, int version);

/// From $XDG_CACHE_HOME/weir/precision (or ~/.cache/...). Empty if nothing, or nothing readable, is there.
std::optional<PrecisionVerdict> load_verdict(std::uint64_t key);
/// That it cannot be written is no error. The file appears whole or not at all.
void save_verdict(std::uint64_t key, const PrecisionVerdict& verdict);

}  // namespace weir::enhance
