#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace weir::compute {

/// An array [channels, height, width] of float32 in contiguous memory: input and output of the reference
/// implementations (the functions X_ref, with which tests compare the fast kernels). A vector of channel values has
/// height and width 1.
struct Planes {
  int channels = 0, height = 0, width = 0;
  std::vector<float> values;

  Planes() = default;
  /// Creates an array of zeros.
  Planes(int c, int h, int w)
      : channels{c}, height{h}, width{w}, values(static_cast<std::size_t>(c) * static_cast<std::size_t>(h) * w) {}

  /// Returns the number of values of one channel.
  [[nodiscard]] std::size_t plane_size() const { return static_cast<std::size_t>(height) * width; }
  [[nodiscard]] std::span<float> plane(int c) { return std::span{values}.subspan(c * plane_size(), plane_size()); }
  [[nodiscard]] std::span<const float> plane(int c) const {
    return std::span{values}.subspan(c * plane_size(), plane_size());
  }
  [[nodiscard]] std::span<float> row(int c, int y) {
    return plane(c).subspan(static_cast<std::size_t>(y) * width, static_cast<std::size_t>(width));
  }
  [[nodiscard]] std::span<const float> row(int c, int y) const {
    return plane(c).subspan(static_cast<std::size_t>(y) * width, static_cast<std::size_t>(width));
  }
  [[nodiscard]] float& at(int c, int y, int x) { return row(c, y)[static_cast<std::size_t>(x)]; }
  [[nodiscard]] float at(int c, int y, int x) const { return row(c, y)[static_cast<std::size_t>(x)]; }
  [[nodiscard]] bool same_shape(const Planes& other) const {
    return channels == other.channels && height == other.height && width == other.width;
  }
};

}  // namespace weir::compute
