#include "compute/kernels/inner_product/inner_product_ref.hpp"

namespace weir::compute {

Planes inner_product_ref(const Planes& in, std::span<const float> weight, std::span<const float> bias) {
  assert(in.height == 1 && in.width == 1);
  assert(weight.size() == bias.size() * in.values.size());
  Planes out{static_cast<int>(bias.size()), 1, 1};
  for (std::size_t o = 0; o < bias.size(); ++o) {
    float sum = bias[o];
    for (std::size_t i = 0; i < in.values.size(); ++i) sum += weight[o * in.values.size() + i] * in.values[i];
    out.values[o] = sum;
  }
  return out;
}

}  // namespace weir::compute
