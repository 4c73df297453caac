#include "enhance/packed_weight_cache.hpp"

#include "enhance/run_plan.hpp"

namespace weir::enhance {

const nn::PackedWeights& PackedWeightCache::get(compute::Arithmetic arithmetic, int orientation) {
  if (!packed_ || arithmetic_ != arithmetic || orientation_ != orientation) {
    packed_.reset();  // frees the memory before the new weights are allocated
    packed_ = nn::pack_weights(graph_, program_, kernels_, arithmetic, orientation_of(orientation));
    arithmetic_ = arithmetic;
    orientation_ = orientation;
  }
  return *packed_;
}

Bytes PackedWeightCache::need(compute::Arithmetic arithmetic) const {
  if (packed_ && arithmetic_ == arithmetic) return {};
  return nn::packed_bytes(program_, graph_, kernels_, arithmetic);
}

}  // namespace weir::enhance
