#pragma once

#include <array>
#include <vector>

#include "nn/graph.hpp"

namespace weir::nn {

/// Filter taps of a resize along one axis, from `in` to `out` pixels: the input pixels that an output pixel is a
/// weighted sum of. x is the output position. Nearest neighbour: one tap, pixel floor(x / scale), or the last pixel if
/// this is beyond the edge. Bilinear and bicubic (Keys' cubic with A = -0.75): two or four taps around position
/// (x + 0.5) * in / out - 0.5. The step in / out differs from 1 / scale if in * scale was truncated to a whole number.
/// A tap outside the input reads the pixel at its edge.
/// Source: ncnn, src/layer/interp.cpp (how positions are computed); Keys, "Cubic Convolution Interpolation for Digital
/// Image Processing", IEEE TASSP 29 (1981).
struct Taps {
  int count = 4;              ///< number of taps of each output position
  std::vector<int> index;     ///< [out]: input position of the first tap; may be outside the input
  std::vector<float> weight;  ///< [out][count]
};
/// Returns the taps of all output positions.
Taps make_taps(const Interp& interp, int in, int out);

/// Returns the number of taps of each output position.
int tap_count(Interp::Kind kind);
/// Returns the input position of the first tap of output position `x`; may be outside the input.
int find_first_tap(const Interp& interp, int in, int out, int x);

/// Returns true if the taps of neighbouring output positions are exactly 1 / scale apart. Then a part of the axis can
/// be resized alone with the same result.
bool has_exact_step(const Interp& interp, int in, int out);

/// Returns the four weights of the cubic for a position `t` (0..1) between the second and the third tap.
std::array<float, 4> cubic_weights(double t);

}  // namespace weir::nn
