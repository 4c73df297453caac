#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::synth {

using Colour = std::array<float, 3>;  ///< sRGB values, 0 to 1

/// Interpolates linearly from `a` (t = 0) to `b` (t = 1).
inline Colour mix(const Colour& a, const Colour& b, float t) {
  return {a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t};
}
/// Returns the luma of a colour (its brightness by ITU-R BT.601), 0 to 1.
inline float luma(const Colour& c) { return 0.299F * c[0] + 0.587F * c[1] + 0.114F * c[2]; }

/// A picture in memory: [height][width][3] sRGB values, nominally 0 to 1.
struct Canvas {
  int width = 0, height = 0;
  std::vector<Colour> pixels;

  Canvas() = default;
  Canvas(int w, int h, const Colour& fill = {})
      : width{w}, height{h}, pixels(static_cast<std::size_t>(w) * static_cast<std::size_t>(h), fill) {}
  Colour& at(int x, int y) {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
  const Colour& at(int x, int y) const { return const_cast<Canvas*>(this)->at(x, y); }
};

/// A rectangle of pixels: the columns from `left` to `right` - 1 in the rows from `top` to `bottom` - 1.
struct Box {
  int left = 0, top = 0, right = 0, bottom = 0;
  int width() const { return right - left; }
  int height() const { return bottom - top; }
  bool is_empty() const { return right <= left || bottom <= top; }
  Box intersect(const Box& other) const {
    return {std::max(left, other.left), std::max(top, other.top), std::min(right, other.right),
            std::min(bottom, other.bottom)};
  }
};
/// Returns the box of the whole canvas.
inline Box bounds_of(const Canvas& canvas) { return {0, 0, canvas.width, canvas.height}; }

/// Copies the whole of `from` into `to`, with the upper left corner at (left, top); it must fit.
void paste(const Canvas& from, Canvas& to, int left, int top);

/// Returns [height][width][3] bytes: each value clamped to 0 to 1 and rounded to the nearest of 256 levels, as an 8-bit
/// file stores it.
std::vector<std::uint8_t> to_bytes(const Canvas& canvas);

/// Clamps every value to 0 to 1 and rounds it to the nearest of 256 levels, as an 8-bit file stores it.
void quantize(Canvas& canvas);

}  // namespace weir::synth
