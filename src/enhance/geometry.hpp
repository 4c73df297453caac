#pragma once

#include "media/picture/picture.hpp"
#include "nn/network.hpp"

namespace weir::enhance {

/// The position and size of a network's input and output relative to a picture. All lengths are in pixels.
struct Geometry {
  int width = 0, height = 0;              ///< size of the picture
  int input_width = 0, input_height = 0;  ///< size of the input: the picture, extended at the right and the bottom to
                                          ///< a multiple of nn::Family::align, plus the border
  int border = 0;                         ///< rows and columns added on each side of the picture
  int scale = 1;                          ///< scale of the network
  int crop = 0;  ///< rows and columns of the network's output above and left of the enlarged picture; they are dropped
};
/// Returns the geometry of a network family for a picture of this size.
Geometry geometry_of(const nn::Family& family, int width, int height);

/// Returns the index, 0 to n - 1, of the pixel that a row (or column) of `n` pixels shows at position `i` when it is
/// mirrored at its edges without repeating the edge pixels (reflect-101). `i` may be negative or above n - 1.
int reflect(int i, int n);

}  // namespace weir::enhance
