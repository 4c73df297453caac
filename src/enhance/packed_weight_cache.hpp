#pragma once

#include <optional>

#include "compute/kernels/kernels.hpp"
#include "nn/cpu/packed_weights.hpp"

namespace weir::enhance {

/// A network's weights in the order of the kernels: one arithmetic and one orientation at a time. Not thread-safe.
class PackedWeightCache {
 public:
  /// All must outlive it.
  PackedWeightCache(const nn::Graph& graph, const nn::Program& program, const compute::Kernels& kernels)
      : graph_{graph}, program_{program}, kernels_{kernels} {}

  const nn::PackedWeights& get(compute::Arithmetic arithmetic, int orientation);
  /// What get() will add to the process.
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
