#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// A position in pixels: x to the right, y downwards.
struct Point {
  float x = 0, y = 0;
};

// All shapes have two functions, signed_distance() and bounds(). signed_distance() returns the distance of a point from
// the edge of the shape in pixels, negative inside; for some shapes it is approximate away from the edge. bounds()
// returns a box that contains the shape and `margin` pixels around it. Lengths are in pixels, angles in radians.

struct Ellipse {
  Point centre;
  float semi_axis_a = 1, semi_axis_b = 1;  ///< half lengths of the two axes
  float angle = 0;                         ///< rotation of axis a
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};

struct Rectangle {
  Point centre;
  float half_width = 1, half_height = 1;
  float angle = 0;
  float corner_radius = 0;  ///< radius of the rounded corners
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};

/// A simple polygon, convex or not; its edges must not cross.
struct Polygon {
  std::vector<Point> corners;
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};

/// A closed curve around a centre: a circle whose radius is modulated by a sum of waves.
struct Blob {
  static constexpr int kWaves = 5;
  Point centre;
  float radius = 1;
  float angle = 0, stretch = 1;  ///< the shape is stretched by the factor `stretch` in the direction `angle`
  std::array<float, kWaves> wave_amplitudes{};  ///< relative to the radius; wave k has k + 2 crests
  std::array<float, kWaves> wave_phases{};
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};
/// Makes a blob with random waves, angle and stretch. The amplitude of the waves is proportional to `roughness`.
Blob make_blob(Random& random, Point centre, float radius, float roughness);

/// A line along straight segments with round joints, whose half width changes from joint to joint.
struct Stroke {
  struct Joint {
    Point position;
    float half_width = 0.5F;
  };
  std::vector<Joint> joints;
  float signed_distance(float x, float y) const;
  Box bounds(float margin) const;
};
/// Makes a stroke along a quadratic Bezier curve with the control point `control`. `taper` makes it thin at the ends
/// (0: not at all, 1: down to zero).
Stroke make_stroke(Point from, Point control, Point to, float half_width, float taper);

/// Returns the coverage (0 to 1) of a pixel whose centre has the signed distance `distance` from the edge of a shape.
/// The edge is `softness` pixels wide (1: sharp).
inline float coverage_of(float distance, float softness) {
  const float t = std::min(std::max(0.5F - distance / softness, 0.0F), 1.0F);
  return softness > 1.5F ? t * t * (3 - 2 * t) : t;  // wide edges get a smooth ramp
}

/// Returns a `paint` function for draw_shape() that has one colour everywhere.
inline auto flat_paint(const Colour& colour) {
  return [colour](float /*x*/, float /*y*/, float /*distance*/) { return colour; };
}

/// Paints every pixel of `clip` that the shape covers; the edge is `softness` pixels wide. `paint(x, y, distance)`
/// returns the colour of a pixel whose signed distance from the edge is `distance`.
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
