#pragma once

#include "media/picture/picture.hpp"
#include "nn/network.hpp"

namespace weir::enhance {

/// Where a network's input and output lie over a picture.
struct Geometry {
  int width = 0, height = 0;              ///< of the picture
  int input_width = 0, input_height = 0;  ///< with the border, and grown to the network's multiple
  int border = 0;
  int scale = 1;
  int crop = 0;  ///< output rows and columns before the picture's first
};
Geometry geometry_of(const nn::Family& family, int width, int height);

/// The pixel 0..n-1 that lies at `i` when the picture is mirrored at its edges without repeating them (reflect-101), as
/// often as it takes.
int reflect(int i, int n);

}  // namespace weir::enhance
