#pragma once

#include <optional>

#include "compute/kernels/kernels.hpp"
#include "nn/cpu/packed_weights.hpp"

namespace weir::enhance {

/// Packs the weights of a network (reorders them as the CPU kernels read them) and keeps the result for one arithmetic
/// and one orientation at a time. Not thread-safe.
class PackedWeightCache {
 public:
  /// Stores references to all arguments; they must outlive this object.
  PackedWeightCache(const nn::Graph& graph, const nn::Program& program, const compute::Kernels& kernels)
      : graph_{graph}, program_{program}, kernels_{kernels} {}

  /// Returns the packed weights for this arithmetic and this orientation (an index, see orientation_of()). Packs them
  /// unless the last call had the same arguments. The reference is valid until the next call.
  const nn::PackedWeights& get(compute::Arithmetic arithmetic, int orientation);
  /// Returns the memory that get() will allocate for this arithmetic; 0 if weights for this arithmetic are packed
  /// already.
  Bytes need(compute::Arithmetic arithmetic) const;

 private:
  const nn::Graph& graph_;
  const nn::Program& program_;
  const compute::Kernels& kernels_;
  std::optional<nn::PackedWeights> packed_;
  compute::Arithmetic arithmetic_ = compute::Arithmetic::int16;
  int orientation_ = 0;
};

}  // namespace weir::enhance
