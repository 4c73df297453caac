#pragma once

#include <cstdint>

#include "nn/graph.hpp"

namespace weir::nn {

/// A hash of all that changes what a network makes of a picture: each layer's kind, its inputs and outputs, every
/// parameter, weight, bias and slope, bit by bit. Names and line numbers do not count. Equal on all machines of one byte
/// order; not for storage beyond a cache, for it changes when a layer gains a parameter. Thread-safe.
std::uint64_t fingerprint(const Graph& graph);

}  // namespace weir::nn
