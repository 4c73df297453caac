// Draws a comic page for `make demo` and `make soak`, and makes a picture that compares enlarged results.
// Everything is drawn by this program: it uses no font and no picture file, so nobody else has rights in it.
//
// usage: weir_demo_page page FILE [WIDTH HEIGHT [SEED]]
//        weir_demo_page compare FILE X Y SIZE PAGE LABEL=ENLARGED...
// `compare` crops the square of SIZE pixels at X, Y from PAGE and from each enlargement, and shows them next to each
// other, the pixels of the page magnified without smoothing (nearest neighbour), each with its label below.
#include <vips/vips8>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

int number(const std::string& text) { return static_cast<int>(std::strtol(text.c_str(), nullptr, 10)); }

struct Point {
  double x = 0, y = 0;
};
struct Colour {  // 0 to 255
  double r = 0, g = 0, b = 0;
};

constexpr Colour kInk{18, 16, 24};
constexpr Colour kPaper{252, 249, 240};
constexpr Colour kWhite{255, 255, 255};

Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
Point operator*(Point a, double s) { return {a.x * s, a.y * s}; }
double length(Point a) { return std::hypot(a.x, a.y); }

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

// Returns the distance of a point from the line segment between two points.
double distance_to_segment(Point p, Point a, Point b) {
  const Point along = b - a, to = p - a;
  const double squared = along.x * along.x + along.y * along.y;
  const double t = squared > 0 ? std::clamp((to.x * along.x + to.y * along.y) / squared, 0.0, 1.0) : 0.0;
  return length(to - along * t);
}

// A picture of [height, width] colours. Shapes are anti-aliased by their distance function: a pixel is fully covered if
// its centre is at least half a pixel inside the edge. Drawing is limited to the box given to clip().
class Canvas {
 public:
  Canvas(int width, int height)
      : width_{width}, height_{height}, pixels_(static_cast<std::size_t>(width) * height, kPaper) {
    clip({0, 0, static_cast<double>(width), static_cast<double>(height)});
  }
  int width() const { return width_; }
  int height() const { return height_; }
  void clip(Box box) { clip_ = box; }

  // Fills a shape within `bounds`. `distance` returns the distance of a point from the edge in pixels, negative inside;
  // `colour` returns the colour of a point.
  void fill(Box bounds, const std::function<double(Point)>& distance, const std::function<Colour(Point)>& colour) {
    const int left = static_cast<int>(std::max({0.0, clip_.left, std::floor(bounds.left - 1)}));
    const int top = static_cast<int>(std::max({0.0, clip_.top, std::floor(bounds.top - 1)}));
    const int right =
        static_cast<int>(std::min({static_cast<double>(width_), clip_.right, std::ceil(bounds.right + 1)}));
    const int bottom =
        static_cast<int>(std::min({static_cast<double>(height_), clip_.bottom, std::ceil(bounds.bottom + 1)}));
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const Point p{x + 0.5, y + 0.5};
        const double cover = std::clamp(0.5 - distance(p), 0.0, 1.0);
        if (cover > 0) blend(x, y, colour(p), cover);
      }
    }
  }
  void fill(Box bounds, const std::function<double(Point)>& distance, Colour colour) {
    fill(bounds, distance, [colour](Point) { return colour; });
  }

  void rectangle(Box b, Colour colour) {
    fill(
        b,
        [b](Point p) {
          return std::max({b.left - p.x, p.x - b.right, b.top - p.y, p.y - b.bottom});
        },
        colour);
  }
  // Draws an ellipse with the centre c and the half axes rx and ry.
  void ellipse(Point c, double rx, double ry, Colour colour) {
    fill(
        {c.x - rx, c.y - ry, c.x + rx, c.y + ry},
        [=](Point p) {  // first-order distance: the value divided by the length of its gradient
          const double value = std::hypot((p.x - c.x) / rx, (p.y - c.y) / ry);
          const double slope = std::hypot((p.x - c.x) / (rx * rx), (p.y - c.y) / (ry * ry));
          return slope > 0 ? value * (value - 1) / slope : -std::min(rx, ry);
        },
        colour);
  }
  // Draws a pen stroke whose thickness changes from `from` to `to`.
  void stroke(Point a, Point b, double from, double to, Colour colour = kInk) {
    const double reach = std::max(from, to) / 2;
    const Box bounds{std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach, std::max(a.x, b.x) + reach,
                     std::max(a.y, b.y) + reach};
    const double whole = std::max(length(b - a), 1e-6);
    fill(
        bounds,
        [=](Point p) {
          const double t = std::clamp(length(p - a) / whole, 0.0, 1.0);
          return distance_to_segment(p, a, b) - (from + (to - from) * t) / 2;
        },
        colour);
  }
  // Draws a quadratic Bezier curve with the control point `control`, as a chain of strokes.
  void curve(Point a, Point control, Point b, double from, double to, Colour colour = kInk) {
    constexpr int kPieces = 24;
    Point last = a;
    for (int i = 1; i <= kPieces; ++i) {
      const double t = static_cast<double>(i) / kPieces, before = static_cast<double>(i - 1) / kPieces;
      const Point next = a * ((1 - t) * (1 - t)) + control * (2 * t * (1 - t)) + b * (t * t);
      stroke(last, next, from + (to - from) * before, from + (to - from) * t, colour);
      last = next;
    }
  }
  // Draws a halftone: dots on a grid rotated by 45 degrees, larger where `darkness` (0..1) is higher.
  void halftone(Box box, double pitch, Colour colour, const std::function<double(Point)>& darkness) {
    fill(
        box,
        [=](Point p) {
          const double u = (p.x + p.y) / std::numbers::sqrt2 / pitch, v = (p.x - p.y) / std::numbers::sqrt2 / pitch;
          const double du = u - std::round(u), dv = v - std::round(v);
          const double dark = std::clamp(darkness(p), 0.0, 1.0);
          return (std::hypot(du, dv) - 0.68 * std::sqrt(dark)) * pitch;
        },
        colour);
  }

  // Returns the samples of the picture, [height, width, 3].
  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> result;
    result.reserve(pixels_.size() * 3);
    for (const Colour& p : pixels_) {
      for (double value : {p.r, p.g, p.b})
        result.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))));
    }
    return result;
  }

 private:
  // Mixes a colour into a pixel; `cover` is its share, 0 to 1.
  void blend(int x, int y, Colour colour, double cover) {
    Colour& p = pixels_[static_cast<std::size_t>(y) * width_ + x];
    p = {p.r + (colour.r - p.r) * cover, p.g + (colour.g - p.g) * cover, p.b + (colour.b - p.b) * cover};
  }

  int width_, height_;
  std::vector<Colour> pixels_;
  Box clip_;
};

// Returns a letter as pen strokes on a grid 4 wide and 6 high. Each stroke is four digits: x and y of its start, x and
// y of its end.
std::string_view strokes_of(char letter) {
  switch (letter) {
    case 'A':
      return "0620"
             "2046"
             "1434";
    case 'B':
      return "0006"
             "0030"
             "3041"
             "4132"
             "0333"
             "3344"
             "4435"
             "3506"
             "0636";
    case 'C':
      return "4130"
             "3010"
             "1001"
             "0105"
             "0516"
             "1636"
             "3645";
    case 'D':
      return "0006"
             "0020"
             "2042"
             "4244"
             "4426"
             "2606";
    case 'E':
      return "4000"
             "0006"
             "0646"
             "0333";
    case 'F':
      return "4000"
             "0006"
             "0333";
    case 'G':
      return "4130"
             "3010"
             "1001"
             "0105"
             "0516"
             "1636"
             "3645"
             "4543"
             "4323";
    case 'H':
      return "0006"
             "4046"
             "0343";
    case 'I':
      return "1030"
             "2026"
             "1636";
    case 'J':
      return "4045"
             "4536"
             "3616"
             "1605";
    case 'K':
      return "0006"
             "4003"
             "1346";
    case 'L':
      return "0006"
             "0646";
    case 'M':
      return "0600"
             "0023"
             "2340"
             "4046";
    case 'N':
      return "0600"
             "0046"
             "4640";
    case 'O':
      return "1030"
             "3041"
             "4145"
             "4536"
             "3616"
             "1605"
             "0501"
             "0110";
    case 'P':
      return "0600"
             "0030"
             "3041"
             "4142"
             "4233"
             "3303";
    case 'Q':
      return "1030"
             "3041"
             "4145"
             "4536"
             "3616"
             "1605"
             "0501"
             "0110"
             "2446";
    case 'R':
      return "0600"
             "0030"
             "3041"
             "4142"
             "4233"
             "3303"
             "2346";
    case 'S':
      return "4130"
             "3010"
             "1001"
             "0102"
             "0213"
             "1333"
             "3344"
             "4445"
             "4536"
             "3616"
             "1605";
    case 'T':
      return "0040"
             "2026";
    case 'U':
      return "0005"
             "0516"
             "1636"
             "3645"
             "4540";
    case 'V':
      return "0026"
             "2640";
    case 'W':
      return "0016"
             "1623"
             "2336"
             "3640";
    case 'X':
      return "0046"
             "4006";
    case 'Y':
      return "0023"
             "4023"
             "2326";
    case 'Z':
      return "0040"
             "4006"
             "0646";
    case '0':
      return "1030"
             "3041"
             "4145"
             "4536"
             "3616"
             "1605"
             "0501"
             "0110"
             "4105";
    case '1':
      return "0220"
             "2026"
             "0646";
    case '2':
      return "0110"
             "1030"
             "3041"
             "4142"
             "4206"
             "0646";
    case '3':
      return "0110"
             "1030"
             "3041"
             "4142"
             "4233"
             "3344"
             "4445"
             "4536"
             "3616"
             "1605"
             "1333";
    case '4':
      return "3630"
             "3004"
             "0444";
    case '5':
      return "4000"
             "0002"
             "0232"
             "3243"
             "4345"
             "4536"
             "3616"
             "1605";
    case '6':
      return "4130"
             "3010"
             "1001"
             "0105"
             "0516"
             "1636"
             "3645"
             "4544"
             "4433"
             "3303";
    case '7':
      return "0040"
             "4016";
    case '8':
      return "1030"
             "3041"
             "4142"
             "4233"
             "3313"
             "1302"
             "0201"
             "0110"
             "1304"
             "0405"
             "0516"
             "1636"
             "3645"
             "4544"
             "4433";
    case '9':
      return "4232"
             "3233"
             "3313"
             "1302"
             "0201"
             "0110"
             "1030"
             "3041"
             "4145"
             "4536"
             "3616"
             "1605";
    case '!':
      return "2024"
             "2626";
    case '.':
      return "1616";
    case ',':
      return "2516";
    case '\'':
      return "2021";
    case '?':
      return "0110"
             "1030"
             "3041"
             "4142"
             "4223"
             "2324"
             "2626";
    case '-':
      return "1333";
    case '+':
      return "0343"
             "2125";
    default:
      return "";
  }
}

// Draws upper-case letters of height `size`, with their top left corner at `at`. Returns the width.
double draw_letters(Canvas& canvas, Point at, double size, std::string_view text, Colour colour = kInk) {
  const double unit = size / 6, pen = std::max(1.0, size / 7);
  double x = at.x;
  for (char letter : text) {
    const std::string_view strokes = strokes_of(letter);
    for (std::size_t i = 0; i + 3 < strokes.size(); i += 4) {
      const auto coordinate = [&](std::size_t k) { return (strokes[i + k] - '0') * unit; };
      canvas.stroke({x + coordinate(0), at.y + coordinate(1)}, {x + coordinate(2), at.y + coordinate(3)}, pen,
                    pen * 0.85, colour);
    }
    x += unit * (letter == 'I' || letter == '.' || letter == ',' || letter == '\'' || letter == ' ' ? 4.4 : 6);
  }
  return x - at.x;
}

// Returns the width of a text. Draws it on a canvas of one pixel, which costs little.
double text_width(double size, std::string_view text) {
  Canvas unused{1, 1};
  return draw_letters(unused, {0, 0}, size, text);
}

// Draws a speech bubble around centred lines of letters of height `size`. Its tail points to `tail`.
void bubble(Canvas& canvas, Point centre, double size, Point tail, const std::vector<std::string_view>& lines) {
  double widest = 0;
  for (std::string_view line : lines) widest = std::max(widest, text_width(size, line));
  const double rx = widest * 0.66 + size, ry = static_cast<double>(lines.size()) * size * 1.1 + size;
  // First a larger bubble in ink, which becomes the outline, then the white interior.
  for (const auto& [grow, colour] : {std::pair{size / 8, kInk}, std::pair{0.0, kWhite}}) {
    canvas.stroke(centre + Point{0, ry * 0.5}, tail, size * 1.3 + 2 * grow, 2 * grow, colour);
    canvas.ellipse(centre, rx + grow, ry + grow, colour);
  }
  double y = centre.y - static_cast<double>(lines.size()) * size * 0.8 + size * 0.3;
  for (std::string_view line : lines) {
    draw_letters(canvas, {centre.x - text_width(size, line) / 2, y}, size, line);
    y += size * 1.6;
  }
}

// The panels of the page. In each, b is the box of the panel, w and h are its width and height. All positions are
// relative to the box, so that the page can have any size.

// Draws a night sky with a moon, hills, and a weir.
void sky_panel(Canvas& canvas, Box b, std::mt19937& random) {
  const double w = b.right - b.left, h = b.bottom - b.top;
  canvas.fill(
      b, [](Point) { return -1.0; },
      [=](Point p) {
        const double t = (p.y - b.top) / h;
        return Colour{40 + 150 * t, 70 + 130 * t, 130 + 90 * t};
      });
  std::uniform_real_distribution<double> unit{0, 1};
  for (int i = 0; i < 60; ++i) {
    const double size = 0.6 + unit(random);
    canvas.ellipse({b.left + w * unit(random), b.top + h * 0.5 * unit(random)}, size, size, {255, 250, 230});
  }
  canvas.halftone({b.left, b.top, b.right, b.top + h * 0.6}, w / 130, {24, 40, 92},
                  [=](Point p) { return 0.5 - (p.y - b.top) / h; });
  canvas.ellipse({b.left + w * 0.82, b.top + h * 0.25}, h * 0.14, h * 0.14, {255, 243, 200});
  for (int i = 0; i < 3; ++i) {  // hills, from far to near, each darker
    const double base = b.top + h * (0.5 + 0.1 * i), swing = h * (0.1 - 0.02 * i), turn = 5.0 + 2 * i;
    const Colour colour{90 - 22.0 * i, 120 - 24.0 * i, 110 - 14.0 * i};
    canvas.fill(
        {b.left, b.top, b.right, b.bottom},
        [=](Point p) { return base + swing * std::sin(turn * (p.x - b.left) / w + i * 2.1) - p.y; }, colour);
  }
  const double dam = b.top + h * 0.72;  // row of the crest of the weir, over which the water falls in lines
  canvas.rectangle({b.left, dam, b.right, b.bottom}, {70, 130, 160});
  for (double x = b.left; x < b.right; x += w / 90) {
    const double drop = h * (0.08 + 0.1 * unit(random));
    canvas.stroke({x, dam}, {x + (unit(random) - 0.5) * 3, dam + drop}, 2.4, 0.4, {235, 246, 250});
  }
  canvas.stroke({b.left, dam}, {b.right, dam}, 3, 3);
  for (int i = 0; i < 26; ++i) {
    const Point at{b.left + w * unit(random), dam + h * (0.14 + 0.13 * unit(random))};
    canvas.curve(at, at + Point{w * 0.02, -h * 0.02}, at + Point{w * 0.05, 0}, 0.8, 1.8, {225, 242, 248});
  }
}

// Draws a face on a halftone.
void face_panel(Canvas& canvas, Box b) {
  const double w = b.right - b.left, h = b.bottom - b.top;
  canvas.rectangle(b, {246, 214, 170});
  canvas.halftone(b, w / 60, {226, 120, 90}, [=](Point p) { return 0.85 * (p.x - b.left) / w * (p.y - b.top) / h; });
  const Point c{b.left + w * 0.46, b.top + h * 0.62};
  const double r = h * 0.27;  // c is the centre of the head, r is half its height
  canvas.ellipse(c + Point{0, r * 1.5}, r * 1.5, r * 0.9, {60, 92, 150});
  canvas.ellipse(c, r * 0.92 + 2.5, r + 2.5, kInk);
  canvas.ellipse(c, r * 0.92, r, {250, 224, 198});
  canvas.fill(
      b,  // hair: a cap over the head, then strands over the brow
      [=](Point p) {
        const Point d = p - c;
        return std::max(std::hypot(d.x / 1.08, d.y + r * 0.1) - r, d.y + r * 0.36 + 0.5 * d.x * d.x / r * 0.5);
      },
      Colour{64, 44, 52});
  for (int i = 0; i < 23; ++i) {
    const double t = -1 + 2 * i / 22.0;
    const Point from = c + Point{t * r * 0.9, -r * (0.42 + 0.42 * std::sqrt(1 - t * t * 0.9))};
    const Point to = c + Point{t * r * 1.02, -r * 0.3 + 0.42 * r * t * t + (i % 3) * r * 0.07};
    canvas.curve(from, from + Point{t * r * 0.25, r * 0.1}, to, r * 0.07, 0.5, i % 4 == 1 ? Colour{126, 92, 84} : kInk);
  }
  for (double side : {-1.0, 1.0}) {
    const Point eye = c + Point{side * r * 0.36, r * 0.06};
    canvas.ellipse(eye, r * 0.2, r * 0.24, kInk);
    canvas.ellipse(eye, r * 0.18, r * 0.215, kWhite);
    canvas.ellipse(eye + Point{-r * 0.02, r * 0.03}, r * 0.12, r * 0.165, {70, 110, 80});
    canvas.ellipse(eye + Point{-r * 0.02, r * 0.05}, r * 0.06, r * 0.1, kInk);
    canvas.ellipse(eye + Point{r * 0.04, -r * 0.05}, r * 0.05, r * 0.06, kWhite);
    canvas.curve(eye + Point{-r * 0.22, -r * 0.1}, eye + Point{0, -r * 0.34}, eye + Point{r * 0.22, -r * 0.1}, 1.2,
                 3.2);
    canvas.curve(eye + Point{-r * 0.2, -r * 0.38}, eye + Point{0, -r * 0.48}, eye + Point{r * 0.2, -r * 0.38}, 1.5,
                 2.5);
    for (int i = 0; i < 5; ++i) {  // blush as hatching
      const Point from = c + Point{side * r * 0.5 + i * r * 0.05 - r * 0.1, r * 0.5};
      canvas.stroke(from, from + Point{-r * 0.06, r * 0.12}, 1.2, 0.5, {214, 110, 96});
    }
  }
  canvas.curve(c + Point{0, r * 0.2}, c + Point{r * 0.09, r * 0.36}, c + Point{-r * 0.02, r * 0.38}, 0.8, 1.4);
  canvas.curve(c + Point{-r * 0.26, r * 0.6}, c + Point{0, r * 0.78}, c + Point{r * 0.26, r * 0.56}, 1, 2.6);
}

// Draws a splash: a word in a star, with speed lines around it.
void action_panel(Canvas& canvas, Box b, std::mt19937& random) {
  const double w = b.right - b.left, h = b.bottom - b.top;
  const Point c{b.left + w * 0.5, b.top + h * 0.54};
  canvas.rectangle(b, {250, 236, 150});
  std::uniform_real_distribution<double> unit{0, 1};
  for (int i = 0; i < 150; ++i) {  // speed lines
    const double a = 2 * std::numbers::pi * (i + unit(random)) / 150;
    const Point far{std::cos(a) * w, std::sin(a) * w};
    canvas.stroke(c + far, c + far * (0.3 + 0.14 * unit(random)), 6, 0.4);
  }
  const auto star = [&](double outer, Colour colour) {  // a burst of sixteen points
    canvas.fill(
        b,
        [=](Point p) {
          const double turn = std::atan2(p.y - c.y, p.x - c.x) * 16 / std::numbers::pi;
          const double tooth = std::abs(turn - 2 * std::floor(turn / 2) - 1);
          return (std::hypot((p.x - c.x) / 2.1, p.y - c.y) - outer * (0.78 + 0.22 * tooth)) * 0.6;
        },
        colour);
  };
  star(h * 0.365, kInk);
  star(h * 0.335, {255, 120, 70});
  const double size = h * 0.17;
  const Point at{c.x - text_width(size, "SPLASH!") / 2, c.y - size / 2};
  draw_letters(canvas, at + Point{3, 3}, size, "SPLASH!");
  draw_letters(canvas, at, size, "SPLASH!", kWhite);
}

// Draws patterns that are hard to enlarge: a halftone from light to dark, converging lines, small letters.
void pattern_panel(Canvas& canvas, Box b) {
  const double w = b.right - b.left, h = b.bottom - b.top;
  canvas.rectangle(b, kWhite);
  canvas.halftone({b.left, b.top, b.right, b.top + h * 0.55}, w / 52, kInk,
                  [=](Point p) { return 0.9 * (p.x - b.left) / w; });
  for (int i = 0; i < 40; ++i) {  // fine lines that converge
    const double t = i / 39.0;
    canvas.stroke({b.left + w * t, b.top + h * 0.56}, {b.left + w * (0.35 + 0.3 * t), b.top + h * 0.8}, 1.4, 0.6);
  }
  double size = h * 0.052;
  for (std::string_view line : {"SMALL LETTERS STAY", "SMALL LETTERS AND DO", "NOT BECOME BLOBS"}) {
    draw_letters(canvas, {b.left + w * 0.08, b.top + h * 0.99 - size * 3.2}, size * 0.8, line);
    size *= 0.62;
  }
}

// Draws the page: four panels with frames, and two speech bubbles.
Canvas draw_page(int width, int height, unsigned seed) {
  Canvas canvas{width, height};
  std::mt19937 random{seed};
  const double gap = width * 0.025, half = height * 0.5;
  const Box sky{gap, gap, width - gap, height * 0.36};
  const Box face{gap, sky.bottom + gap, width * 0.56, height * 0.7};
  const Box pattern{face.right + gap, face.top, width - gap, face.bottom};
  const Box action{gap, face.bottom + gap, width - gap, height - gap};
  const auto panel = [&](Box box, const std::function<void()>& draw) {
    canvas.clip(box);
    draw();
    canvas.clip({0, 0, static_cast<double>(width), static_cast<double>(height)});
    const double pen = width * 0.004;
    const std::array corners{Point{box.left, box.top}, Point{box.right, box.top}, Point{box.right, box.bottom},
                             Point{box.left, box.bottom}};
    for (std::size_t i = 0; i < corners.size(); ++i) canvas.stroke(corners[i], corners[(i + 1) % 4], pen, pen);
  };
  panel(sky, [&] { sky_panel(canvas, sky, random); });
  panel(face, [&] { face_panel(canvas, face); });
  panel(pattern, [&] { pattern_panel(canvas, pattern); });
  panel(action, [&] { action_panel(canvas, action, random); });
  const double size = std::min(width * 0.022, half * 0.04);
  bubble(canvas, {width * 0.3, height * 0.1}, size, {width * 0.42, height * 0.22},
         {"THE RIVER MAY RISE.", "THE WEIR HOLDS."});
  bubble(canvas, {width * 0.3, face.top + height * 0.055}, size * 0.85, {width * 0.27, face.top + height * 0.13},
         {"HOW MUCH MEMORY", "DO YOU NEED?"});
  return canvas;
}

void save(const Canvas& canvas, const std::string& path) {
  std::vector<std::uint8_t> bytes = canvas.bytes();
  vips::VImage::new_from_memory(bytes.data(), bytes.size(), canvas.width(), canvas.height(), 3, VIPS_FORMAT_UCHAR)
      .copy(vips::VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB))
      .write_to_file(path.c_str());
}

// Returns a strip with a label, as wide as the crop above it.
vips::VImage label(int width, std::string_view text) {
  Canvas canvas{width, 28};
  draw_letters(canvas, {6, 8}, 11, text);
  const std::vector<std::uint8_t> bytes = canvas.bytes();
  return vips::VImage::new_from_memory_steal(g_memdup2(bytes.data(), bytes.size()), bytes.size(), width, 28, 3,
                                             VIPS_FORMAT_UCHAR);
}

// Returns a square of `size` pixels at (x, y), with each pixel repeated `factor` times on both axes.
vips::VImage cut(const vips::VImage& picture, int x, int y, int size, int factor) {
  return picture.colourspace(VIPS_INTERPRETATION_sRGB)
      .extract_band(0, vips::VImage::option()->set("n", 3))
      .extract_area(x, y, size, size)
      .cast(VIPS_FORMAT_UCHAR)
      .zoom(factor, factor);
}

// Makes the picture of `weir_demo_page compare`; `words` are the arguments after the word compare.
void compare(const std::vector<std::string>& words) {
  const int x = number(words[1]), y = number(words[2]), size = number(words[3]);
  constexpr int kShown = 4;  // every crop is shown at four times the size of the page
  const vips::VImage page = vips::VImage::new_from_file(words[4].c_str());
  std::vector<vips::VImage> cuts{
      cut(page, x, y, size, kShown).join(label(size * kShown, "THE PAGE - ITS PIXELS"), VIPS_DIRECTION_VERTICAL)};
  for (std::size_t i = 5; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const vips::VImage enlarged = vips::VImage::new_from_file(words[i].substr(equals + 1).c_str());
    const int scale = std::max(1, enlarged.width() / page.width());
    cuts.push_back(cut(enlarged, x * scale, y * scale, size * scale, std::max(1, kShown / scale))
                       .join(label(size * kShown, words[i].substr(0, equals)), VIPS_DIRECTION_VERTICAL));
  }
  vips::VImage::arrayjoin(cuts, vips::VImage::option()->set("shim", 8)).write_to_file(words[0].c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2 || (words[0] != "page" && (words[0] != "compare" || words.size() < 7))) {
    std::fputs(
        "usage: weir_demo_page page FILE [WIDTH HEIGHT [SEED]]\n"
        "       weir_demo_page compare FILE X Y SIZE PAGE LABEL=ENLARGED...\n",
        stderr);
    return 2;
  }
  if (VIPS_INIT(argv[0]) != 0) return 1;
  try {
    if (words[0] == "compare") {
      compare({words.begin() + 1, words.end()});
    } else {
      const int width = words.size() > 3 ? number(words[2]) : 800;
      const int height = words.size() > 3 ? number(words[3]) : 1130;
      const unsigned seed = words.size() > 4 ? static_cast<unsigned>(number(words[4])) : 7;
      save(draw_page(std::max(width, 16), std::max(height, 16), seed), words[1]);
    }
  } catch (const vips::VError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
  return 0;
}
