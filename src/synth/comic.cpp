#include "synth/comic.hpp"

#include <cmath>
#include <vector>

#include "synth/ink.hpp"
#include "synth/shapes.hpp"
#include "synth/texture.hpp"

namespace weir::synth {

namespace {

/// Draws one page, and has the style that all its parts share.
class ComicPage {
 public:
  ComicPage(int width, int height, Random random, Lettering* lettering)
      : random_{random},
        lettering_{lettering},
        grey_{random_.chance(0.5F)},
        noise_{random_, 1},
        canvas_{width, height} {
    paper_ = random_.chance(0.6F) ? Colour{1, 1, 1}
             : grey_              ? grey(random_.uniform(0.85F, 1))
                                  : mix({1, 1, 1}, random_colour(), 0.1F);
    ink_ = grey(random_.chance(0.7F) ? 0 : random_.uniform(0, 0.15F));
    line_half_width_ = random_.power_law(0.5F, 3, 1.5F);
    // Pages have different scales; the size of figures follows the scale.
    figure_size_ = random_.uniform(40, 220);
  }

  /// Draws the page and returns it; call it once.
  Canvas draw_all() && {
    for (Colour& pixel : canvas_.pixels) pixel = paper_;
    split_panel(bounds_of(canvas_), 3);
    for (Colour& pixel : canvas_.pixels) {
      for (float& value : pixel) value = std::clamp(value, 0.0F, 1.0F);
    }
    return std::move(canvas_);
  }

 private:
  static Colour grey(float value) { return {value, value, value}; }
  /// Returns a colour of printed comics: saturated and often light, or grey.
  Colour random_colour() {
    if (grey_) return grey(random_.chance(0.4F) ? 1.0F : random_.uniform());
    const float light = random_.uniform(0.3F, 1);
    const float max_saturation = random_.uniform();
    const float saturation = max_saturation * random_.uniform(0.2F, 1);
    const float hue = random_.random_angle();
    Colour colour;
    for (std::size_t c = 0; c < 3; ++c) {
      const float wave = 0.5F + 0.5F * std::cos(hue + 2.0944F * static_cast<float>(c));  // 2.0944: 120 degrees
      colour[c] = light * (1 - saturation + saturation * wave);
    }
    return colour;
  }

  /// Splits the box into panels, each at most `depth` times, and draws the panels.
  void split_panel(const Box& box, int depth) {
    const bool tall = box.height() > box.width();
    const int length = tall ? box.height() : box.width();
    if (depth == 0 || static_cast<float>(length) < 1.6F * figure_size_ || random_.chance(0.25F)) return draw_panel(box);
    const int cut = static_cast<int>(static_cast<float>(length) * random_.uniform(0.35F, 0.65F));
    Box first = box;
    Box second = box;
    if (tall)
      first.bottom = second.top = box.top + cut;
    else
      first.right = second.left = box.left + cut;
    split_panel(first, depth - 1);
    split_panel(second, depth - 1);
  }

  /// Draws a panel into the box, within a gutter (an empty border). A panel that is too small stays empty.
  void draw_panel(const Box& box) {
    const int gutter = random_.uniform_int(2, 9);
    const Box inside{box.left + gutter, box.top + gutter, box.right - gutter, box.bottom - gutter};
    if (inside.width() < 12 || inside.height() < 12) return;
    draw_background(inside);
    const int figures = random_.uniform_int(2, 8);
    for (int i = 0; i < figures; ++i) draw_figure(inside);
    if (random_.chance(0.35F)) draw_small_shapes(inside);
    if (random_.chance(0.6F)) draw_bubble(inside);
    if (random_.chance(0.85F)) draw_frame(inside);
  }

  void draw_background(const Box& box) {
    const Rectangle all{centre_of(box), 0.5F * static_cast<float>(box.width()), 0.5F * static_cast<float>(box.height()),
                        0, 0};
    fill_shape(box, all, 0.5F * static_cast<float>(box.height()));
    if (random_.chance(0.15F)) draw_speed_lines(canvas_, box, random_.chance(0.8F) ? ink_ : paper_, random_);
  }

  /// Fills a shape with a flat colour, a screentone, a gradient or noise. `size` is half the length of a gradient.
  template <class Shape>
  void fill_shape(const Box& clip, const Shape& shape, float size) {
    const Colour colour = random_colour();
    const float fill_choice = random_.uniform();
    if (fill_choice < 0.45F) {
      draw_shape(canvas_, clip, shape, 1, flat_paint(colour));
    } else if (fill_choice < (grey_ ? 0.75F : 0.55F)) {
      const Screentone tone = make_screentone(random_, colour, random_.chance(0.8F) ? ink_ : random_colour());
      draw_shape(canvas_, clip, shape, 1, [&](float x, float y, float /*distance*/) { return tone.colour_at(x, y); });
    } else {
      Texture texture;
      texture.kind = random_.chance(0.8F) ? Texture::Kind::gradient : Texture::Kind::noise;
      texture.colour = colour;
      texture.second_colour = mix(colour, random_colour(), 0.6F);
      texture.pitch = texture.kind == Texture::Kind::gradient ? 2 * size : random_.uniform(40, 200);
      texture.phase = size;  // the gradient reaches from -size to size
      texture.noise = &noise_;
      const float angle = random_.random_angle();
      texture.angle_cos = std::cos(angle);
      texture.angle_sin = std::sin(angle);
      const Box bounds = shape.bounds(0);
      const Point centre = centre_of(bounds);
      draw_shape(canvas_, clip, shape, 1,
                 [&](float x, float y, float /*distance*/) { return texture.colour_at(x - centre.x, y - centre.y); });
    }
  }

  /// Draws a blob with an outline and, at random, a shadow, eyes, hair and hatching.
  void draw_figure(const Box& clip) {
    const Point centre = random_point(clip);
    const float radius = figure_size_ * random_.power_law(0.1F, 0.8F, 1.3F);
    const Blob blob = make_blob(random_, centre, radius, random_.uniform(0.2F, 1));
    fill_shape(clip, blob, radius);
    if (random_.chance(0.3F)) draw_shadow(clip, blob);
    if (random_.chance(0.4F)) {
      const float reach = radius * random_.uniform(0.2F, 0.6F);
      draw_hatching(canvas_, clip, point_near(centre, radius), reach, ink_, random_);
    }
    if (random_.chance(0.5F)) draw_eyes(clip, centre, radius);
    if (random_.chance(0.5F)) draw_hair(clip, centre, radius);
    if (random_.chance(0.9F)) {
      const float variation = random_.uniform(0, 0.7F);
      draw_outline(canvas_, clip, blob, line_half_width_ * random_.uniform(0.6F, 1.5F), variation, ink_, random_);
    }
  }

  /// Darkens a crescent at the edge of a blob.
  void draw_shadow(const Box& clip, const Blob& blob) {
    Blob moved = blob;
    moved.centre.x += 0.35F * blob.radius * random_.uniform(-1, 1);
    moved.centre.y += 0.35F * blob.radius * random_.uniform(0.3F, 1);
    const float darkness = random_.uniform(0.15F, 0.5F);
    const Box box = blob.bounds(1).intersect(clip).intersect(bounds_of(canvas_));
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) {
        const auto fx = static_cast<float>(x);
        const auto fy = static_cast<float>(y);
        // The shadow covers the part of the blob outside the moved blob.
        const float coverage =
            coverage_of(blob.signed_distance(fx, fy), 1) * (1 - coverage_of(moved.signed_distance(fx, fy), 1));
        if (coverage > 0) canvas_.at(x, y) = mix(canvas_.at(x, y), ink_, darkness * coverage);
      }
    }
  }

  void draw_eyes(const Box& clip, Point centre, float radius) {
    const float size = radius * random_.uniform(0.08F, 0.2F);
    const float half_distance = radius * random_.uniform(0.25F, 0.45F);
    for (const float side : {-1.0F, 1.0F}) {
      const Point eye{centre.x + side * half_distance, centre.y - 0.1F * radius};
      // The white of the eye, the iris, a reflection of light, and a curved line over the eye.
      draw_shape(canvas_, clip, Ellipse{eye, 1.3F * size, size, 0}, 1, flat_paint(paper_));
      draw_shape(canvas_, clip, Ellipse{eye, 0.7F * size, 0.9F * size, 0}, 1,
                 flat_paint(random_.chance(0.5F) ? ink_ : random_colour()));
      draw_shape(canvas_, clip, Ellipse{{eye.x - 0.2F * size, eye.y - 0.3F * size}, 0.25F * size, 0.25F * size, 0}, 1,
                 flat_paint(paper_));
      draw_shape(canvas_, clip,
                 make_stroke({eye.x - 1.4F * size, eye.y}, {eye.x, eye.y - 2 * size}, {eye.x + 1.4F * size, eye.y},
                             line_half_width_, 0.6F),
                 1, flat_paint(ink_));
    }
  }

  /// Draws strands that begin near the edge of a figure and point outwards.
  void draw_hair(const Box& clip, Point centre, float radius) {
    const int strands = random_.uniform_int(8, 50);
    const float start = random_.random_angle();
    const float half_width = line_half_width_ * random_.uniform(0.3F, 1);
    for (int i = 0; i < strands; ++i) {
      const float angle = start + random_.uniform(-1, 1);
      const float length = radius * random_.uniform(0.4F, 1.2F);
      const Point from{centre.x + radius * std::cos(angle) * 0.9F, centre.y + radius * std::sin(angle) * 0.9F};
      const float tip_angle = angle + random_.uniform(-0.7F, 0.7F);
      const Point control{from.x + 0.6F * length * std::cos(angle), from.y + 0.6F * length * std::sin(angle)};
      const Point to{from.x + length * std::cos(tip_angle), from.y + length * std::sin(tip_angle)};
      draw_shape(canvas_, clip, make_stroke(from, control, to, half_width, 1), 1, flat_paint(ink_));
    }
  }

  /// Draws small ellipses all over the panel, as comics draw stars, drops or leaves.
  void draw_small_shapes(const Box& clip) {
    const int count = random_.uniform_int(5, 40);
    const Colour colour = random_.chance(0.5F) ? ink_ : random_colour();
    for (int i = 0; i < count; ++i) {
      const float size = random_.power_law(0.8F, 12, 1.8F);
      draw_shape(canvas_, clip,
                 Ellipse{random_point(clip), size, size * random_.uniform(0.3F, 1), random_.random_angle()}, 1,
                 flat_paint(colour));
    }
  }

  /// Draws a speech bubble with a tail and, if there are fonts, text.
  void draw_bubble(const Box& clip) {
    const float half_width =
        std::min(0.4F * static_cast<float>(clip.width()), figure_size_ * random_.uniform(0.3F, 0.7F));
    const float half_height =
        std::min(0.35F * static_cast<float>(clip.height()), half_width * random_.uniform(0.4F, 0.9F));
    if (half_width < 8 || half_height < 8) return;
    const Point centre{std::clamp(random_point(clip).x, static_cast<float>(clip.left) + half_width,
                                  static_cast<float>(clip.right) - half_width),
                       std::clamp(random_point(clip).y, static_cast<float>(clip.top) + half_height,
                                  static_cast<float>(clip.bottom) - half_height)};
    const Ellipse edge{centre, half_width + 2 * line_half_width_, half_height + 2 * line_half_width_, 0};
    const float angle = random_.random_angle();
    const Point tip{centre.x + 1.6F * half_width * std::cos(angle), centre.y + 1.6F * half_height * std::sin(angle)};
    // The outline is a larger shape in ink below the interior. Some tails have no outline.
    Stroke tail;
    tail.joints = {{centre, 0.3F * half_height}, {tip, 0}};
    Stroke inner = tail;
    inner.joints[0].half_width -= 2 * line_half_width_;
    if (random_.chance(0.7F)) draw_shape(canvas_, clip, tail, 1, flat_paint(ink_));
    draw_shape(canvas_, clip, edge, 1, flat_paint(ink_));
    const Colour inside = random_.chance(0.9F) ? paper_ : ink_;
    draw_shape(canvas_, clip, inner, 1, flat_paint(inside));
    draw_shape(canvas_, clip, Ellipse{centre, half_width, half_height, 0}, 1, flat_paint(inside));
    if (lettering_ == nullptr) return;
    const float size = random_.power_law(7, 34, 1.5F);
    // A box with 0.68 times the half axes of an ellipse fits into the ellipse.
    const Box text{static_cast<int>(centre.x - 0.68F * half_width), static_cast<int>(centre.y - 0.68F * half_height),
                   static_cast<int>(centre.x + 0.68F * half_width), static_cast<int>(centre.y + 0.68F * half_height)};
    lettering_->draw_text(canvas_, text.intersect(clip), size, luma(inside) > 0.5F ? ink_ : paper_, random_);
  }

  void draw_frame(const Box& box) {
    const float half_width = 0.5F * static_cast<float>(box.width());
    const float half_height = 0.5F * static_cast<float>(box.height());
    const Point centre = centre_of(box);
    const float half_line = line_half_width_ * random_.uniform(0.8F, 2);
    const Box clip{box.left - 4, box.top - 4, box.right + 4, box.bottom + 4};  // the lines reach beyond the box
    for (const float side : {-1.0F, 1.0F}) {
      const Point edge_x{centre.x + side * half_width, centre.y};
      const Point edge_y{centre.x, centre.y + side * half_height};
      draw_shape(canvas_, clip, Rectangle{edge_y, half_width + half_line, half_line, 0, 0}, 1, flat_paint(ink_));
      draw_shape(canvas_, clip, Rectangle{edge_x, half_line, half_height + half_line, 0, 0}, 1, flat_paint(ink_));
    }
  }

  static Point centre_of(const Box& box) {
    return {0.5F * static_cast<float>(box.left + box.right - 1), 0.5F * static_cast<float>(box.top + box.bottom - 1)};
  }
  /// Returns a random point in the box.
  Point random_point(const Box& box) {
    return {random_.uniform(static_cast<float>(box.left), static_cast<float>(box.right)),
            random_.uniform(static_cast<float>(box.top), static_cast<float>(box.bottom))};
  }
  /// Returns a random point at most half the radius away from the centre on each axis.
  Point point_near(Point centre, float radius) {
    return {centre.x + 0.5F * radius * random_.uniform(-1, 1), centre.y + 0.5F * radius * random_.uniform(-1, 1)};
  }

  Random random_;
  Lettering* lettering_;
  bool grey_;  // the page has no colours, as in manga
  Noise noise_;
  Canvas canvas_;
  Colour paper_{}, ink_{};
  float line_half_width_ = 1;  // half the width of most lines in pixels
  float figure_size_ = 100;    // typical size of a figure in pixels
};

}  // namespace

Canvas draw_comic(int width, int height, Random random, Lettering* lettering) {
  return ComicPage{width, height, random, lettering}.draw_all();
}

}  // namespace weir::synth
