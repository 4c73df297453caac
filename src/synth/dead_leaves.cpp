#include "synth/dead_leaves.hpp"

#include <cmath>
#include <numbers>
#include <utility>

#include "synth/resize.hpp"
#include "synth/shapes.hpp"
#include "synth/texture.hpp"

namespace weir::synth {

namespace {

constexpr int kMostLeaves = 200'000;
constexpr float kOpaque = 1.0F / 512;  // what shines through less than this is not seen

/// Leaves are laid from the nearest to the farthest, so that what is hidden costs nothing.
class Pile {
 public:
  Pile(int width, int height)
      : canvas_{width, height}, open_(canvas_.pixels.size(), 1.0F), left_{canvas_.pixels.size()} {}

  template <class Shape, class Paint>
  void add(const Shape& shape, float softness, Paint&& paint) {
    const Box box = shape.bounds(softness).cut(whole(canvas_));
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) {
        float& open =
            open_[static_cast<std::size_t>(y) * static_cast<std::size_t>(canvas_.width) + static_cast<std::size_t>(x)];
        if (open < kOpaque) continue;
        const float distance = shape.distance(static_cast<float>(x), static_cast<float>(y));
        const float part = open * coverage_of(distance, softness);
        if (part <= 0) continue;
        const Colour colour = paint(static_cast<float>(x), static_cast<float>(y), distance);
        Colour& pixel = canvas_.at(x, y);
        for (std::size_t c = 0; c < 3; ++c) pixel[c] += part * colour[c];
        open -= part;
        if (open < kOpaque) --left_;
      }
    }
  }

  bool full() const { return left_ <= canvas_.pixels.size() / 2000; }

  Canvas finish(const Texture& behind) && {
    for (int y = 0; y < canvas_.height; ++y) {
      for (int x = 0; x < canvas_.width; ++x) {
        const float open =
            open_[static_cast<std::size_t>(y) * static_cast<std::size_t>(canvas_.width) + static_cast<std::size_t>(x)];
        const Colour colour = behind.at(static_cast<float>(x), static_cast<float>(y));
        for (std::size_t c = 0; c < 3; ++c)
          canvas_.at(x, y)[c] = std::clamp(canvas_.at(x, y)[c] + open * colour[c], 0.0F, 1.0F);
      }
    }
    return std::move(canvas_);
  }

 private:
  Canvas canvas_;
  std::vector<float> open_;  // the part of a pixel that is not covered yet
  std::size_t left_;
};

Polygon make_polygon(Random& random, Point centre, float radius) {
  Polygon polygon;
  const int corners = random.whole(3, 7);
  const float start = random.angle();
  for (int i = 0; i < corners; ++i) {
    const float turn = start + 2 * std::numbers::pi_v<float> * (static_cast<float>(i) + random.between(-0.3F, 0.3F)) /
                                   static_cast<float>(corners);
    const float r = radius * random.between(0.6F, 1.2F);
    polygon.corners.push_back({centre.x + r * std::cos(turn), centre.y + r * std::sin(turn)});
  }
  return polygon;
}

/// What one picture's leaves have in common.
struct Manner {
  Palette palette;
  float smallest, largest, exponent;
  float softness;
  float blurred;  // part of the leaves that are out of focus
  float thin;     // part that are lines
};

Manner make_manner(Random& random, int side) {
  Manner manner;
  manner.palette = make_palette(random);
  manner.smallest = random.power_law(1.2F, 24, 1.3F);
  manner.largest = static_cast<float>(side) * random.between(0.15F, 0.6F);
  manner.exponent = random.between(2.4F, 3.2F);
  manner.softness = random.chance(0.7F) ? random.between(1, 1.5F) : random.between(1.5F, 3);
  manner.blurred = random.chance(0.4F) ? random.between(0, 0.4F) : 0;
  manner.thin = random.between(0, 0.25F);
  return manner;
}

void add_leaf(Pile& pile, Random& random, const Manner& manner, const Noise& noise, Point centre) {
  const float radius = random.power_law(manner.smallest, manner.largest, manner.exponent);
  const Texture texture = make_texture(random, manner.palette, noise, radius);
  const float softness = random.chance(manner.blurred) ? random.between(2, 7) : manner.softness;
  const float shade = random.chance(0.4F) ? random.between(0, 0.4F) : 0;
  const auto paint = [&](float x, float y, float distance) {
    Colour colour = texture.at(x - centre.x, y - centre.y);
    if (shade > 0) {
      const float dim = 1 - shade * std::exp(std::min(distance, 0.0F) / (0.3F * radius));
      for (float& value : colour) value *= dim;
    }
    return colour;
  };
  if (random.chance(manner.thin)) {
    const float length = random.between(4, 30) * std::max(1.0F, 0.2F * radius);
    const float turn = random.angle();
    const float bend = turn + random.between(-0.6F, 0.6F);
    const Point to{centre.x + length * std::cos(turn), centre.y + length * std::sin(turn)};
    const Point control{centre.x + 0.5F * length * std::cos(bend), centre.y + 0.5F * length * std::sin(bend)};
    const float taper = random.between(0, 1);
    pile.add(make_stroke(centre, control, to, random.power_law(0.4F, 4, 2), taper), softness, paint);
    return;
  }
  const float draw = random.unit();
  if (draw < 0.35F) {
    const float b = radius * random.between(0.3F, 1);
    pile.add(Ellipse{centre, radius, b, random.angle()}, softness, paint);
  } else if (draw < 0.65F) {
    pile.add(make_blob(random, centre, radius, random.between(0.3F, 1)), softness, paint);
  } else if (draw < 0.85F) {
    const float half_height = radius * random.between(0.15F, 1);
    const float angle = random.chance(0.3F) ? 0 : random.angle();
    pile.add(Rectangle{centre, radius, half_height, angle, random.chance(0.3F) ? 0.3F * half_height : 0}, softness,
             paint);
  } else {
    pile.add(make_polygon(random, centre, radius), softness, paint);
  }
}

/// As a camera takes it: no lens is as sharp as a drawn edge, and no sensor is without grain.
void take(Canvas& picture, Random& random) {
  if (random.chance(0.6F)) picture = blur(picture, random.between(0.3F, 0.9F));
  const float grain = random.chance(0.4F) ? random.power_law(0.002F, 0.03F, 1.5F) : 0;
  for (Colour& pixel : picture.pixels) {
    const float one = grain > 0 ? grain * random.normal() : 0;
    // Without grain too: the weights of a blur add up to one but for their rounding.
    for (float& value : pixel) value = std::clamp(value + one, 0.0F, 1.0F);
  }
}

}  // namespace

Canvas dead_leaves(int width, int height, Random random) {
  const Noise noise{random, random.between(0.6F, 1.4F)};
  const Manner manner = make_manner(random, std::min(width, height));
  Pile pile{width, height};
  for (int i = 0; i < kMostLeaves && !pile.full(); ++i) {
    Random own = random.split();
    const Point centre{own.between(-0.1F, 1.1F) * static_cast<float>(width),
                       own.between(-0.1F, 1.1F) * static_cast<float>(height)};
    add_leaf(pile, own, manner, noise, centre);
  }
  Canvas picture = std::move(pile).finish(make_texture(random, manner.palette, noise, static_cast<float>(width)));
  take(picture, random);
  return picture;
}

}  // namespace weir::synth
