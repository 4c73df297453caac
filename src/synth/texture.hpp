#pragma once

#include <vector>

#include "synth/canvas.hpp"
#include "synth/random.hpp"

namespace weir::synth {

/// Smooth noise of several octaves on a square that repeats: the amplitude of an octave falls as its frequency to the
/// power `decay` (1: as natural pictures do on the average). Mean 0, deviation 1.
class Noise {
 public:
  static constexpr int kSide = 128;
  Noise(Random& random, float decay);
  float at(float x, float y) const;  ///< in pixels of the square

 private:
  std::vector<float> values_;
};

/// What a surface looks like: one colour, a gradient, waves, stripes, checks, or noise over it.
struct Texture {
  enum class Kind { flat, gradient, waves, stripes, checks, noise };
  Kind kind = Kind::flat;
  Colour colour{}, second_colour{};
  float angle_cos = 1, angle_sin = 0;
  float pitch = 16;  ///< pixels from crest to crest, or of the gradient's whole way
  float phase = 0;
  float grain = 0;        ///< of noise on top of any kind
  float grain_scale = 1;  ///< pixels of the noise a pixel
  const Noise* noise = nullptr;

  Colour colour_at(float x, float y) const;
};

/// A colour as natural pictures have them: lightness varies much, the two opponent axes less, and they hang together.
/// `base` and `spread` give a picture its own palette. The deviations follow Ruderman, Cronin, Chiao, "Statistics of cone
/// responses to natural images", JOSA A 15 (1998): most of the variance is lightness.
struct Palette {
  Colour base{0.5F, 0.5F, 0.5F};
  float lightness = 0.22F, blue_yellow = 0.07F, red_green = 0.03F;  ///< deviations
  Colour random_colour(Random& random) const;
};
Palette make_palette(Random& random);

Texture make_texture(Random& random, const Palette& palette, const Noise& noise, float size);

}  // namespace weir::synth
