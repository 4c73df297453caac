#pragma once

#include <array>
#include <vector>

#include "nn/graph.hpp"

namespace weir::nn {

/// Taps of a resize along one axis. Bicubic is Keys' cubic with A = -0.75, half-pixel centres.
/// Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE TASSP 29 (1981).
struct Taps {
  int count = 4;
  std::vector<int> index;     ///< first tap; may lie outside the input
  std::vector<float> weight;  ///< [out][count]
};
Taps taps_of(const Interp& interp, int out);

/// The four weights of the cubic for a position `t` (0..1) between the second and the third tap.
std::array<float, 4> cubic_weights(double t);

}  // namespace weir::nn
