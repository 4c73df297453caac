#pragma once

#include <algorithm>

namespace weir::compute {

/// Values of the pixels that padding adds.
enum class PaddingMode {
  constant,   ///< a constant
  replicate,  ///< the pixel at the edge
  reflect,    ///< the picture mirrored at the edge pixel, as often as necessary: 2 1 0 1 2 ... n-2 n-1 n-2 ...
};

/// Returns the input pixel, 0..extent-1, whose value a pixel of the padded axis has; -1: the constant. `position` is
/// counted from the first input pixel: it is negative in the padding before, and `extent` or more in the padding after
/// the input.
inline int padding_source(PaddingMode mode, int position, int extent) {
  if (position >= 0 && position < extent) return position;
  if (mode == PaddingMode::constant) return -1;
  if (mode == PaddingMode::replicate || extent == 1) return std::clamp(position, 0, extent - 1);
  const int period = 2 * (extent - 1);
  const int within = (position % period + period) % period;
  return std::min(within, period - within);
}

}  // namespace weir::compute
