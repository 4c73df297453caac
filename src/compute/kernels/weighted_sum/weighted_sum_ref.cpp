#include "compute/kernels/weighted_sum/weighted_sum_ref.hpp"

namespace weir::compute {

Planes weighted_sum_ref(std::span<const Planes* const> inputs, std::span<const float> coefficient) {
  assert(!inputs.empty() && inputs.size() == coefficient.size());
  Planes out{inputs[0]->channels, inputs[0]->height, inputs[0]->width};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    assert(inputs[i]->same_shape(out));
    for (std::size_t j = 0; j < out.values.size(); ++j) out.values[j] += coefficient[i] * inputs[i]->values[j];
  }
  return out;
}

}  // namespace weir::compute
