#include "compute/kernels/padding/padding_ref.hpp"

namespace weir::compute {

Planes padding_ref(const Planes& in, int top, int left, int bottom, int right, PaddingMode mode, float value) {
  Planes out{in.channels, in.height + top + bottom, in.width + left + right};
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        const int from_y = padding_source(mode, y - top, in.height);
        const int from_x = padding_source(mode, x - left, in.width);
        out.at(c, y, x) = from_y < 0 || from_x < 0 ? value : in.at(c, from_y, from_x);
      }
    }
  }
  return out;
}

}  // namespace weir::compute
