#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

/// Draws digits as strokes of random position, size, slant, rotation and width, with noise: 16 x 16 pixels, 0 to 1.
namespace drawn {

inline constexpr int kSize = 16;  ///< width and height of a picture
struct Point {
  double x, y;
};
using Stroke = std::vector<Point>;

/// Returns a part of an ellipse with the centre (x, y) and the radii rx and ry, from angle `from` to angle `to`. Angles
/// are in quarters of a turn, clockwise; 0 is on the right.
inline Stroke arc(double x, double y, double rx, double ry, double from, double to) {
  Stroke made;
  for (int i = 0; i <= 12; ++i) {
    const double angle = (from + (to - from) * i / 12) * std::acos(0.0);  // acos(0) is a quarter of a turn
    made.push_back({x + rx * std::cos(angle), y + ry * std::sin(angle)});
  }
  return made;
}

/// Returns the strokes of a digit in a box of 1 x 1; y points down.
inline std::vector<Stroke> strokes_of(int digit) {
  switch (digit) {
    case 0:
      return {arc(0.5, 0.5, 0.3, 0.45, 0, 4)};
    case 1:
      return {{{0.3, 0.25}, {0.55, 0.05}, {0.55, 0.95}}};
    case 2:
      return {arc(0.5, 0.3, 0.28, 0.25, -2, 0.4), {{0.72, 0.45}, {0.2, 0.95}, {0.8, 0.95}}};
    case 3:
      return {arc(0.45, 0.28, 0.27, 0.23, -1.7, 1), arc(0.45, 0.72, 0.3, 0.23, -1, 1.7)};
    case 4:
      return {{{0.65, 0.95}, {0.65, 0.05}, {0.2, 0.65}, {0.85, 0.65}}};
    case 5:
      return {{{0.75, 0.05}, {0.3, 0.05}, {0.27, 0.45}}, arc(0.45, 0.68, 0.3, 0.27, -1.5, 1.7)};
    case 6:
      return {{{0.65, 0.05}, {0.35, 0.35}, {0.22, 0.7}}, arc(0.5, 0.7, 0.27, 0.25, 0, 4)};
    case 7:
      return {{{0.2, 0.05}, {0.8, 0.05}, {0.4, 0.95}}};
    case 8:
      return {arc(0.5, 0.27, 0.23, 0.22, 0, 4), arc(0.5, 0.72, 0.28, 0.23, 0, 4)};
    default:
      return {arc(0.5, 0.3, 0.27, 0.25, 0, 4), {{0.77, 0.3}, {0.7, 0.65}, {0.45, 0.95}}};
  }
}

/// Returns the distance of p from the line segment between a and b.
inline double distance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, squared_length = dx * dx + dy * dy;
  const double t =  // position of the nearest point on the segment, 0 to 1
      squared_length == 0 ? 0 : std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / squared_length, 0.0, 1.0);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/// Returns picture number `item` of an endless series. It shows the digit item % 10. The same item is always the same
/// picture.
inline std::array<float, kSize * kSize> draw(std::uint64_t item) {
  std::mt19937_64 random{item};
  // Returns a random number from `low` to `high`. std::uniform_real_distribution is not the same everywhere.
  const auto between = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random() >> 11U) * 0x1p-53;
  };
  const double width = between(7, 11), height = between(10, 14), turn = between(-0.2, 0.2),
               slant = between(-0.25, 0.25);
  const double x0 = between(-1.2, 1.2) + kSize / 2.0, y0 = between(-1, 1) + kSize / 2.0, pen = between(0.6, 1.3);
  std::vector<Stroke> strokes = strokes_of(static_cast<int>(item % 10));
  for (Stroke& stroke : strokes) {
    for (Point& p : stroke) {
      const double y = (p.y - 0.5) * height, x = (p.x - 0.5) * width - slant * y;
      p = {x0 + std::cos(turn) * x - std::sin(turn) * y, y0 + std::sin(turn) * x + std::cos(turn) * y};
    }
  }
  std::array<float, kSize * kSize> picture{};
  for (int i = 0; i < kSize * kSize; ++i) {
    const Point centre{i % kSize + 0.5, static_cast<double>(i / kSize) + 0.5};
    double nearest = 100;
    for (const Stroke& stroke : strokes) {
      for (std::size_t k = 1; k < stroke.size(); ++k) {
        nearest = std::min(nearest, distance(centre, stroke[k - 1], stroke[k]));
      }
    }
    const double ink = std::clamp(pen + 0.5 - nearest, 0.0, 1.0);
    picture[static_cast<std::size_t>(i)] = static_cast<float>(ink + between(-0.15, 0.15));
  }
  return picture;
}

}  // namespace drawn
