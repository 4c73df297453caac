#pragma once

#include <cstdint>

#include "nn/graph.hpp"

namespace weir::nn {

/// Returns a hash of everything that affects a network's result: each layer's kind, inputs and outputs, and every
/// parameter, weight, bias and slope, bit by bit. Excludes names and line numbers. The hash is equal on all machines of
/// one byte order. Store it only in caches: it changes when a layer type gets a new parameter. Thread-safe.
std::uint64_t fingerprint(const Graph& graph);

}  // namespace weir::nn
