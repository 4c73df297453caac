#pragma once

#include <algorithm>

namespace weir::compute {

/// What lies beyond an edge: a number; the pixel at the edge; the picture mirrored at it without repeating that pixel, as
/// often as it takes (... 2 1 0 1 2 ... n-2 n-1 n-2 ...).
enum class Fill { constant, replicate, reflect };

/// The position within [0, extent) that is shown at `position` of an axis; -1: the constant.
inline int filled_from(Fill fill, int position, int extent) {
  if (position >= 0 && position < extent) return position;
  if (fill == Fill::constant) return -1;
  if (fill == Fill::replicate || extent == 1) return std::clamp(position, 0, extent - 1);
  const int period = 2 * (extent - 1);
  const int within = (position % period + period) % period;
  return std::min(within, period - within);
}

}  // namespace weir::compute
