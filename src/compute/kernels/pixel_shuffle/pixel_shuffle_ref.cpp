#include "compute/kernels/pixel_shuffle/pixel_shuffle_ref.hpp"

namespace weir::compute {

Planes pixel_shuffle_ref(const Planes& in, int factor) {
  assert(factor > 0 && in.channels % (factor * factor) == 0);
  Planes out{in.channels / (factor * factor), in.height * factor, in.width * factor};
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        const int from = (c * factor + y % factor) * factor + x % factor;
        out.at(c, y, x) = in.at(from, y / factor, x / factor);
      }
    }
  }
  return out;
}

}  // namespace weir::compute
