#include "synth/shapes.hpp"

namespace weir::synth {

namespace {

/// Returns the smallest box of whole pixels with these half sizes around the point.
Box box_around(Point centre, float half_width, float half_height) {
  return {static_cast<int>(std::floor(centre.x - half_width)), static_cast<int>(std::floor(centre.y - half_height)),
          static_cast<int>(std::ceil(centre.x + half_width)) + 1,
          static_cast<int>(std::ceil(centre.y + half_height)) + 1};
}

/// Returns the position (x, y) relative to `centre`, on axes that are rotated by `angle`.
Point to_local(float x, float y, Point centre, float angle) {
  const float c = std::cos(angle);
  const float s = std::sin(angle);
  return {c * (x - centre.x) + s * (y - centre.y), c * (y - centre.y) - s * (x - centre.x)};
}

/// Returns the smallest box that contains both.
Box union_of(const Box& a, const Box& b) {
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right), std::max(a.bottom, b.bottom)};
}

struct SegmentPoint {
  float distance = 0;  // distance from the segment between two points
  float position = 0;  // position of the nearest point on the segment, 0 to 1
};

/// Returns the distance of (x, y) from the segment from a to b, and the nearest point.
SegmentPoint nearest_on_segment(float x, float y, Point a, Point b) {
  const float dx = b.x - a.x;
  const float dy = b.y - a.y;
  const float square = dx * dx + dy * dy;
  const float t = square == 0 ? 0 : std::clamp(((x - a.x) * dx + (y - a.y) * dy) / square, 0.0F, 1.0F);
  return {std::hypot(x - a.x - t * dx, y - a.y - t * dy), t};
}

}  // namespace

float Ellipse::signed_distance(float x, float y) const {
  const Point p = to_local(x, y, centre, angle);
  // The first-order distance: k - 1, which is 0 on the edge, over the length of its gradient, `gradient` / k.
  const float u = p.x / semi_axis_a;
  const float v = p.y / semi_axis_b;
  const float k = std::sqrt(u * u + v * v);
  const float gradient = std::hypot(u / semi_axis_a, v / semi_axis_b);
  return gradient < 1e-6F ? -std::min(semi_axis_a, semi_axis_b) : k * (k - 1) / gradient;
}
Box Ellipse::bounds(float margin) const {
  const float c = std::cos(angle);
  const float s = std::sin(angle);
  return box_around(centre, std::hypot(semi_axis_a * c, semi_axis_b * s) + margin,
                    std::hypot(semi_axis_a * s, semi_axis_b * c) + margin);
}

float Rectangle::signed_distance(float x, float y) const {
  const Point p = to_local(x, y, centre, angle);
  // The distance from a smaller rectangle, whose corners are the centres of the rounded corners, less their radius. On
  // each axis, dx and dy are the distances from the edges of that rectangle, negative inside.
  const float dx = std::fabs(p.x) - half_width + corner_radius;
  const float dy = std::fabs(p.y) - half_height + corner_radius;
  return std::hypot(std::max(dx, 0.0F), std::max(dy, 0.0F)) + std::min(std::max(dx, dy), 0.0F) - corner_radius;
}
Box Rectangle::bounds(float margin) const {
  const float c = std::fabs(std::cos(angle));
  const float s = std::fabs(std::sin(angle));
  return box_around(centre, c * half_width + s * half_height + margin, s * half_width + c * half_height + margin);
}

float Polygon::signed_distance(float x, float y) const {
  float nearest = 1e9F;
  bool inside = false;
  for (std::size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const Point& a = corners[i];
    const Point& b = corners[j];
    nearest = std::min(nearest, nearest_on_segment(x, y, a, b).distance);
    // A point is inside if a ray from it to the right crosses an odd number of edges. The ray crosses an edge if two
    // conditions hold: the ends of the edge are on different sides of the ray's row, and the edge meets this row right
    // of the point.
    if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside ? -nearest : nearest;
}
Box Polygon::bounds(float margin) const {
  Box box = box_around(corners.front(), margin, margin);
  for (const Point& corner : corners) box = union_of(box, box_around(corner, margin, margin));
  return box;
}

float Blob::signed_distance(float x, float y) const {
  Point p = to_local(x, y, centre, angle);
  p.x /= stretch;
  const float r = std::hypot(p.x, p.y);
  const float direction = std::atan2(p.y, p.x);
  float edge = 1;   // radius of the edge in this direction, relative to `radius`
  float slope = 0;  // derivative of `edge` with respect to the direction
  for (int k = 0; k < kWaves; ++k) {
    const auto i = static_cast<std::size_t>(k);
    const auto crests = static_cast<float>(k + 2);
    edge += wave_amplitudes[i] * std::cos(crests * direction + wave_phases[i]);
    slope -= wave_amplitudes[i] * crests * std::sin(crests * direction + wave_phases[i]);
  }
  // The distance is that of the unstretched curve; stretching multiplies it by 1 to `stretch`.
  return (r - radius * edge) / std::sqrt(1 + slope * slope / (edge * edge));
}
Box Blob::bounds(float margin) const {
  float max_edge = 1;
  for (const float amplitude : wave_amplitudes) max_edge += std::fabs(amplitude);
  const float half = max_edge * radius * std::max(stretch, 1.0F) + margin;
  return box_around(centre, half, half);
}

Blob make_blob(Random& random, Point centre, float radius, float roughness) {
  Blob blob{centre, radius, random.random_angle(), random.uniform(1, 1.6F), {}, {}};
  for (std::size_t k = 0; k < Blob::kWaves; ++k) {
    blob.wave_amplitudes[k] = roughness * random.uniform(-0.22F, 0.22F) / static_cast<float>(k + 1);
    blob.wave_phases[k] = random.random_angle();
  }
  return blob;
}

float Stroke::signed_distance(float x, float y) const {
  float nearest = 1e9F;
  for (std::size_t i = 0; i + 1 < joints.size(); ++i) {
    const Joint& a = joints[i];
    const Joint& b = joints[i + 1];
    const SegmentPoint point = nearest_on_segment(x, y, a.position, b.position);
    const float half_width = a.half_width + (b.half_width - a.half_width) * point.position;
    nearest = std::min(nearest, point.distance - half_width);
  }
  return nearest;
}
Box Stroke::bounds(float margin) const {
  Box box;
  for (const Joint& joint : joints) {
    const Box one = box_around(joint.position, joint.half_width + margin, joint.half_width + margin);
    box = box.is_empty() ? one : union_of(box, one);
  }
  return box;
}

Stroke make_stroke(Point from, Point control, Point to, float half_width, float taper) {
  const float length =
      std::hypot(control.x - from.x, control.y - from.y) + std::hypot(to.x - control.x, to.y - control.y);
  const int pieces = std::clamp(static_cast<int>(length / 8), 3, 24);  // of about 8 pixels
  Stroke stroke;
  for (int i = 0; i <= pieces; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(pieces);
    // The weights of the three points of a quadratic Bezier curve.
    const float a = (1 - t) * (1 - t);
    const float b = 2 * t * (1 - t);
    const float c = t * t;
    const float end_factor = std::min(1.0F, 4 * std::min(t, 1 - t));  // 0 at the ends, 1 in the middle half
    stroke.joints.push_back({{a * from.x + b * control.x + c * to.x, a * from.y + b * control.y + c * to.y},
                             half_width * (1 - taper * (1 - end_factor))});
  }
  return stroke;
}

}  // namespace weir::synth
