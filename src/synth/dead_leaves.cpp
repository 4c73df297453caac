#include "synth/dead_leaves.hpp"

#include <cmath>
#include <numbers>
#include <utility>

#include "synth/resize.hpp"
#include "synth/shapes.hpp"
#include "synth/texture.hpp"

namespace weir::synth {

namespace {

constexpr int kMaxLeaves = 200'000;             // per picture
constexpr float kOpaqueThreshold = 1.0F / 512;  // a smaller uncovered part changes a value by less than half of 1/255

/// A picture to which leaves are added from the nearest to the farthest, so that hidden parts cost no work.
class LeafPile {
 public:
  LeafPile(int width, int height)
      : canvas_{width, height}, uncovered_(canvas_.pixels.size(), 1.0F), uncovered_pixels_{canvas_.pixels.size()} {}

  /// Adds a leaf behind all earlier ones; see draw_shape() for `softness` and `paint`.
  template <class Shape, class Paint>
  void add(const Shape& shape, float softness, Paint&& paint) {
    const Box box = shape.bounds(softness).intersect(bounds_of(canvas_));
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) {
        float& uncovered = uncovered_[static_cast<std::size_t>(y) * static_cast<std::size_t>(canvas_.width) +
                                      static_cast<std::size_t>(x)];
        if (uncovered < kOpaqueThreshold) continue;
        const float distance = shape.signed_distance(static_cast<float>(x), static_cast<float>(y));
        const float added_coverage = uncovered * coverage_of(distance, softness);
        if (added_coverage <= 0) continue;
        const Colour colour = paint(static_cast<float>(x), static_cast<float>(y), distance);
        Colour& pixel = canvas_.at(x, y);
        for (std::size_t c = 0; c < 3; ++c) pixel[c] += added_coverage * colour[c];
        uncovered -= added_coverage;
        if (uncovered < kOpaqueThreshold) --uncovered_pixels_;
      }
    }
  }

  /// Returns true if so few pixels (one in 2000) are uncovered that more leaves are not worth the work.
  bool is_full() const { return uncovered_pixels_ <= canvas_.pixels.size() / 2000; }

  /// Fills what is still uncovered with the texture `behind` and returns the picture.
  Canvas finish(const Texture& behind) && {
    for (int y = 0; y < canvas_.height; ++y) {
      for (int x = 0; x < canvas_.width; ++x) {
        const float uncovered = uncovered_[static_cast<std::size_t>(y) * static_cast<std::size_t>(canvas_.width) +
                                           static_cast<std::size_t>(x)];
        const Colour colour = behind.colour_at(static_cast<float>(x), static_cast<float>(y));
        for (std::size_t c = 0; c < 3; ++c)
          canvas_.at(x, y)[c] = std::clamp(canvas_.at(x, y)[c] + uncovered * colour[c], 0.0F, 1.0F);
      }
    }
    return std::move(canvas_);
  }

 private:
  Canvas canvas_;
  std::vector<float> uncovered_;  // uncovered part of each pixel, 0 to 1
  std::size_t uncovered_pixels_;  // number of pixels whose uncovered part is at least kOpaqueThreshold
};

/// Makes a polygon of 3 to 7 corners at random distances of about `radius` from the centre.
Polygon make_polygon(Random& random, Point centre, float radius) {
  Polygon polygon;
  const int corners = random.uniform_int(3, 7);
  const float start = random.random_angle();
  for (int i = 0; i < corners; ++i) {
    const float angle = start + 2 * std::numbers::pi_v<float> * (static_cast<float>(i) + random.uniform(-0.3F, 0.3F)) /
                                    static_cast<float>(corners);
    const float distance = radius * random.uniform(0.6F, 1.2F);
    polygon.corners.push_back({centre.x + distance * std::cos(angle), centre.y + distance * std::sin(angle)});
  }
  return polygon;
}

/// Style that all leaves of one picture share.
struct LeafStyle {
  Palette palette;
  float min_radius, max_radius, exponent;  // range of the radii in pixels, and exponent of their power law
  float softness;                          // width of the edges in pixels
  float blurred_part;                      // fraction of the leaves that are out of focus
  float line_part;                         // fraction of the leaves that are lines
};

/// Makes a random style for a picture whose shorter side is `side` pixels long.
LeafStyle make_leaf_style(Random& random, int side) {
  LeafStyle style;
  style.palette = make_palette(random);
  style.min_radius = random.power_law(1.2F, 24, 1.3F);
  style.max_radius = static_cast<float>(side) * random.uniform(0.15F, 0.6F);
  style.exponent = random.uniform(2.4F, 3.2F);
  style.softness = random.chance(0.7F) ? random.uniform(1, 1.5F) : random.uniform(1.5F, 3);
  style.blurred_part = random.chance(0.4F) ? random.uniform(0, 0.4F) : 0;
  style.line_part = random.uniform(0, 0.25F);
  return style;
}

/// Adds a leaf of random shape, size and texture: a line, an ellipse, a blob, a rectangle or a polygon.
void add_leaf(LeafPile& pile, Random& random, const LeafStyle& style, const Noise& noise, Point centre) {
  const float radius = random.power_law(style.min_radius, style.max_radius, style.exponent);
  const Texture texture = make_texture(random, style.palette, noise, radius);
  const float softness = random.chance(style.blurred_part) ? random.uniform(2, 7) : style.softness;
  // Some leaves are darker towards their edges, as rounded objects are.
  const float shade = random.chance(0.4F) ? random.uniform(0, 0.4F) : 0;
  const auto paint = [&](float x, float y, float distance) {
    Colour colour = texture.colour_at(x - centre.x, y - centre.y);
    if (shade > 0) {  // `distance` is negative inside the leaf
      const float brightness = 1 - shade * std::exp(std::min(distance, 0.0F) / (0.3F * radius));
      for (float& value : colour) value *= brightness;
    }
    return colour;
  };
  if (random.chance(style.line_part)) {
    const float length = random.uniform(4, 30) * std::max(1.0F, 0.2F * radius);
    const float angle = random.random_angle();
    const float control_angle = angle + random.uniform(-0.6F, 0.6F);
    const Point to{centre.x + length * std::cos(angle), centre.y + length * std::sin(angle)};
    const Point control{centre.x + 0.5F * length * std::cos(control_angle),
                        centre.y + 0.5F * length * std::sin(control_angle)};
    const float taper = random.uniform(0, 1);
    pile.add(make_stroke(centre, control, to, random.power_law(0.4F, 4, 2), taper), softness, paint);
    return;
  }
  const float shape_choice = random.uniform();
  if (shape_choice < 0.35F) {
    const float semi_axis_b = radius * random.uniform(0.3F, 1);
    pile.add(Ellipse{centre, radius, semi_axis_b, random.random_angle()}, softness, paint);
  } else if (shape_choice < 0.65F) {
    pile.add(make_blob(random, centre, radius, random.uniform(0.3F, 1)), softness, paint);
  } else if (shape_choice < 0.85F) {
    const float half_height = radius * random.uniform(0.15F, 1);
    const float angle = random.chance(0.3F) ? 0 : random.random_angle();
    pile.add(Rectangle{centre, radius, half_height, angle, random.chance(0.3F) ? 0.3F * half_height : 0}, softness,
             paint);
  } else {
    pile.add(make_polygon(random, centre, radius), softness, paint);
  }
}

/// Adds blur and noise as a camera does: no lens is as sharp as a drawn edge, and no sensor is free of noise.
void add_camera_effects(Canvas& picture, Random& random) {
  if (random.chance(0.6F)) picture = blur(picture, random.uniform(0.3F, 0.9F));
  const float noise_sigma = random.chance(0.4F) ? random.power_law(0.002F, 0.03F, 1.5F) : 0;
  for (Colour& pixel : picture.pixels) {
    const float noise = noise_sigma > 0 ? noise_sigma * random.normal() : 0;
    // Clamp even without noise: the weights of a blur do not add up to exactly one.
    for (float& value : pixel) value = std::clamp(value + noise, 0.0F, 1.0F);
  }
}

}  // namespace

Canvas draw_dead_leaves(int width, int height, Random random) {
  const Noise noise{random, random.uniform(0.6F, 1.4F)};
  const LeafStyle style = make_leaf_style(random, std::min(width, height));
  LeafPile pile{width, height};
  for (int i = 0; i < kMaxLeaves && !pile.is_full(); ++i) {
    Random leaf_random = random.split();
    const Point centre{leaf_random.uniform(-0.1F, 1.1F) * static_cast<float>(width),
                       leaf_random.uniform(-0.1F, 1.1F) * static_cast<float>(height)};
    add_leaf(pile, leaf_random, style, noise, centre);
  }
  Canvas picture = std::move(pile).finish(make_texture(random, style.palette, noise, static_cast<float>(width)));
  add_camera_effects(picture, random);
  return picture;
}

}  // namespace weir::synth
