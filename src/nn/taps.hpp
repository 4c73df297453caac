#pragma once

#include <array>
#include <vector>

#include "nn/graph.hpp"

namespace weir::nn {

/// Taps of a resize along one axis, from `in` to `out` pixels. Nearest neighbour: pixel floor(x / scale). Bilinear and
/// bicubic (Keys' cubic with A = -0.75): half-pixel centres, and the step is in / out, which is not 1 / scale where
/// in * scale was cut to a whole number. The edges are repeated: a tap that lies outside is that of the edge.
/// Source: ncnn, src/layer/interp.cpp (what positions are made from); Keys, "Cubic Convolution Interpolation for Digital
/// Image Processing", IEEE TASSP 29 (1981).
struct Taps {
  int count = 4;
  std::vector<int> index;     ///< first tap; may lie outside the input
  std::vector<float> weight;  ///< [out][count]
};
Taps make_taps(const Interp& interp, int in, int out);

/// Of one output position: how many there are, and where the first is.
int tap_count(Interp::Kind kind);
int find_first_tap(const Interp& interp, int in, int out, int x);

/// Whether the step from one output position to the next is 1 / scale exactly, so that a part of the axis is resized alone
/// as it is in the whole.
bool has_exact_step(const Interp& interp, int in, int out);

/// The four weights of the cubic for a position `t` (0..1) between the second and the third tap.
std::array<float, 4> cubic_weights(double t);

}  // namespace weir::nn
