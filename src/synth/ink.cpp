#include "synth/ink.hpp"

#include <cmath>
#include <numbers>

namespace weir::synth {

namespace {

/// The edge of a blob as a line, which is thickest at the angle -`phase` around the centre and thinnest opposite. The
/// half width varies by the factors 1 - `variation` to 1 + `variation`.
struct Outline {
  const Blob& blob;
  float half_width, variation, phase;
  float signed_distance(float x, float y) const {
    const float direction = std::atan2(y - blob.centre.y, x - blob.centre.x);
    return std::fabs(blob.signed_distance(x, y)) - half_width * (1 + variation * std::cos(direction + phase));
  }
  Box bounds(float margin) const { return blob.bounds(margin + half_width * (1 + variation)); }
};

}  // namespace

Colour Screentone::colour_at(float x, float y) const {
  // The position on the axes of the grid of dots, in units of the pitch: each dot has whole coordinates.
  const float u = (angle_cos * x + angle_sin * y) / pitch;
  const float v = (angle_cos * y - angle_sin * x) / pitch;
  const float du = u - std::round(u);
  const float dv = v - std::round(v);
  const float radius = std::clamp(dot_radius + dot_radius_step * y, 0.0F, 0.7F);
  return mix(paper, ink, coverage_of((std::hypot(du, dv) - radius) * pitch, 1));
}

Screentone make_screentone(Random& random, const Colour& paper, const Colour& ink) {
  Screentone screentone{.paper = paper, .ink = ink};
  screentone.pitch = random.power_law(2.8F, 12, 2);
  const float angle = random.chance(0.7F) ? std::numbers::pi_v<float> / 4 : random.random_angle();
  screentone.angle_cos = std::cos(angle);
  screentone.angle_sin = std::sin(angle);
  screentone.dot_radius = random.uniform(0.12F, 0.45F);
  if (random.chance(0.3F)) screentone.dot_radius_step = random.uniform(-0.003F, 0.003F);
  return screentone;
}

void draw_hatching(Canvas& canvas, const Box& clip, Point centre, float radius, const Colour& ink, Random& random) {
  const float angle = random.random_angle();
  const float c = std::cos(angle);
  const float s = std::sin(angle);
  const float pitch = random.uniform(3, 8);
  const float half_width = random.uniform(0.35F, 1.1F);
  // `across` is the distance of a stroke from the centre.
  for (float across = -radius; across < radius; across += pitch * random.uniform(0.8F, 1.2F)) {
    const float half_length = std::sqrt(std::max(0.0F, radius * radius - across * across)) * random.uniform(0.7F, 1);
    const float bend = random.uniform(-2, 2);
    const Point from{centre.x - half_length * c - across * s, centre.y - half_length * s + across * c};
    const Point control{centre.x - (across + bend) * s, centre.y + (across + bend) * c};
    const Point to{centre.x + half_length * c - across * s, centre.y + half_length * s + across * c};
    draw_shape(canvas, clip, make_stroke(from, control, to, half_width, random.uniform(0.3F, 1)), 1, flat_paint(ink));
  }
}

void draw_speed_lines(Canvas& canvas, const Box& clip, const Colour& ink, Random& random) {
  const auto width = static_cast<float>(clip.width());
  const auto height = static_cast<float>(clip.height());
  const Point centre{static_cast<float>(clip.left) + width * random.uniform(0.2F, 0.8F),
                     static_cast<float>(clip.top) + height * random.uniform(0.2F, 0.8F)};
  // Each wedge has its tip near the centre and its wide end outside the clip box.
  const float outer_distance = std::hypot(width, height);
  const float inner_distance = random.uniform(0.15F, 0.4F) * std::min(width, height);
  const int lines = random.uniform_int(40, 160);
  const float max_half_width = random.uniform(0.8F, 3);
  for (int i = 0; i < lines; ++i) {
    const float angle = random.random_angle();
    const float tip_distance = inner_distance * random.uniform(0.8F, 1.8F);
    const float c = std::cos(angle);
    const float s = std::sin(angle);
    Stroke wedge;
    wedge.joints.push_back({{centre.x + tip_distance * c, centre.y + tip_distance * s}, 0});
    wedge.joints.push_back(
        {{centre.x + outer_distance * c, centre.y + outer_distance * s}, max_half_width * random.uniform(0.4F, 1)});
    draw_shape(canvas, clip, wedge, 1, flat_paint(ink));
  }
}

void draw_outline(Canvas& canvas, const Box& clip, const Blob& blob, float half_width, float variation,
                  const Colour& ink, Random& random) {
  draw_shape(canvas, clip, Outline{blob, half_width, variation, random.random_angle()}, 1, flat_paint(ink));
}

}  // namespace weir::synth
