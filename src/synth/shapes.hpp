#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

struct Point {
  float x = 0, y = 0;
};

/// Shapes tell the distance of a point from their edge in pixels, negative inside, exact near the edge: the coverage of a
/// pixel, with any softness of the edge, follows from it.

struct Ellipse {
  Point centre;
  float semi_axis_a = 1, semi_axis_b = 1;  ///< half axes
  float angle = 0;
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};

struct Rectangle {
  Point centre;
  float half_width = 1, half_height = 1;
  float angle = 0;
  float corner_radius = 0;  ///< radius of the corners
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};

/// Convex or not, without crossings.
struct Polygon {
  std::vector<Point> corners;
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};

/// A closed curve around a centre: a circle whose radius is a sum of waves.
struct Blob {
  static constexpr int kWaves = 5;
  Point centre;
  float radius = 1;
  float angle = 0, stretch = 1;                 ///< wider by `stretch` along `angle`
  std::array<float, kWaves> wave_amplitudes{};  ///< of the wave with k + 2 crests, as a part of the radius
  std::array<float, kWaves> wave_phases{};
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};
Blob make_blob(Random& random, Point centre, float radius, float roughness);

/// A line through points, round at its joints, whose half width changes from point to point.
struct Stroke {
  struct Joint {
    Point position;
    float half_width = 0.5F;
  };
  std::vector<Joint> joints;
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};
/// A curve with one control point between its ends; thin at the ends by `taper` (0: not at all, 1: to nothing).
Stroke make_stroke(Point from, Point control, Point to, float half_width, float taper);

/// Coverage of a pixel whose centre is `distance` from an edge that is `softness` pixels wide (1: sharp).
inline float coverage_of(float distance, float softness) {
  const float t = std::min(std::max(0.5F - distance / softness, 0.0F), 1.0F);
  return softness > 1.5F ? t * t * (3 - 2 * t) : t;
}

/// One colour everywhere.
inline auto flat_paint(const Colour& colour) {
  return [colour](float, float, float) { return colour; };
}

/// Paints every pixel of `clip` that the shape covers; `paint(x, y, distance)` is its colour.
template <class Shape, class Paint>
void draw_shape(Canvas& canvas, const Box& clip, const Shape& shape, float softness, Paint&& paint) {
  const Box box = shape.bounds(softness).intersect(clip).intersect(bounds_of(canvas));
  for (int y = box.top; y < box.bottom; ++y) {
    for (int x = box.left; x < box.right; ++x) {
      const float distance = shape.signed_distance(static_cast<float>(x), static_cast<float>(y));
      const float coverage = coverage_of(distance, softness);
      if (coverage <= 0) continue;
      Colour& pixel = canvas.at(x, y);
      pixel = mix(pixel, paint(static_cast<float>(x), static_cast<float>(y), distance), coverage);
    }
  }
}

}  // namespace weir::synth
