#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace weir::compute {

/// [channels, height, width] float32 in one piece: what the plain references of all operations take and give.
/// A vector of channel values has height and width 1. A value.
struct Planes {
  int channels = 0, height = 0, width = 0;
  std::vector<float> values;

  Planes() = default;
  /// All zero.
  Planes(int c, int h, int w)
      : channels{c}, height{h}, width{w}, values(static_cast<std::size_t>(c) * static_cast<std::size_t>(h) * w) {}

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
