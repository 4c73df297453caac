#include "compute/kernels/crop/crop_ref.hpp"

#include <algorithm>

namespace weir::compute {

Planes crop_ref(const Planes& in, int top, int left, int bottom, int right) {
  assert(top + bottom < in.height && left + right < in.width);
  Planes out{in.channels, in.height - top - bottom, in.width - left - right};
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      std::ranges::copy(in.row(c, y + top).subspan(static_cast<std::size_t>(left), static_cast<std::size_t>(out.width)),
                        out.row(c, y).begin());
    }
  }
  return out;
}

}  // namespace weir::compute
