#pragma once

#include <vector>

#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// Smooth noise of several octaves (each has twice the frequency of the one before) on a square of kSide x kSide pixels
/// that repeats. The amplitude of an octave is proportional to its frequency to the power -`decay`, so a larger `decay`
/// makes the noise smoother. The noise has mean 0 and standard deviation 1.
class Noise {
 public:
  static constexpr int kSide = 128;
  Noise(Random& random, float decay);
  float at(float x, float y) const;  ///< Returns the noise at a position in pixels.

 private:
  std::vector<float> values_;
};

/// The look of a surface: one colour, a gradient, waves, stripes, a checkerboard, or noise.
struct Texture {
  enum class Kind { flat, gradient, waves, stripes, checks, noise };
  Kind kind = Kind::flat;
  Colour colour{}, second_colour{};    ///< the pattern changes between these two; Kind::flat has only `colour`
  float angle_cos = 1, angle_sin = 0;  ///< cosine and sine of the pattern's direction
  /// period of waves, stripes and checks, or length of a gradient, in canvas pixels; for Kind::noise the number of
  /// canvas pixels that 8 pixels of `noise` cover
  float pitch = 16;
  float phase = 0;               ///< shift of the pattern in pixels
  float grain = 0;               ///< standard deviation of the noise that is added to any kind; 0: none
  float grain_scale = 1;         ///< canvas pixels per pixel of `noise` in the grain
  const Noise* noise = nullptr;  ///< not owned; may be null if `kind` is not noise and `grain` is 0

  /// Returns the colour at a position in pixels.
  Colour colour_at(float x, float y) const;
};

/// Random colours with the statistics of natural pictures: lightness varies much, the two opponent axes (blue against
/// yellow, red against green) vary less. `base` and the standard deviations give each picture its own palette. The
/// deviations follow Ruderman, Cronin, Chiao, "Statistics of cone responses to natural images", JOSA A 15 (1998): most
/// of the variance is lightness.
struct Palette {
  Colour base{0.5F, 0.5F, 0.5F};                                    ///< mean colour
  float lightness = 0.22F, blue_yellow = 0.07F, red_green = 0.03F;  ///< standard deviations of the three axes
  /// Returns a random colour of the palette.
  Colour random_colour(Random& random) const;
};
/// Makes a random palette.
Palette make_palette(Random& random);

/// Makes a random texture with colours of the palette, for a shape of about `size` pixels.
Texture make_texture(Random& random, const Palette& palette, const Noise& noise, float size);

}  // namespace weir::synth
