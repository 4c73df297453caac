#include "compute/kernels/concat/concat_ref.hpp"

namespace weir::compute {

Planes concat_ref(std::span<const Planes* const> inputs) {
  assert(!inputs.empty());
  Planes out{0, inputs[0]->height, inputs[0]->width};
  for (const Planes* input : inputs) {
    assert(input->height == out.height && input->width == out.width);
    out.channels += input->channels;
    out.values.insert(out.values.end(), input->values.begin(), input->values.end());
  }
  return out;
}

}  // namespace weir::compute
