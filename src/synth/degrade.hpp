#pragma once

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/random.hpp"
#include "synth/resize.hpp"

namespace weir::synth {

/// How a small picture is made of a large one.
struct Degradation {
  ResizeKernel kernel = ResizeKernel::cubic;
  float blur_sigma = 0;   ///< deviation in pixels of the large picture, before it is shrunk
  float noise_sigma = 0;  ///< deviation, of values 0 to 1
  bool grey_noise = false;
  int jpeg_quality = 0;  ///< of the JPEG; 0: none
  int chroma = 0;        ///< 0: 4:4:4, 1: 4:2:2, 2: 4:2:0
};

/// Draws one: with probability `clean` nothing but the antialiased cubic kernel; else half the time the cubic, else one of the
/// others; blur up to 0.8 in a third; noise up to 2 % in a third, grey in half of those; JPEG 60 to 100 in two thirds, 4:2:0 in
/// half of those, 4:4:4 in most of the rest.
Degradation random_degradation(Random& random, float clean_probability);

/// Shrinks by `factor`, degrades, and rounds to 8 bits, in this order: blur, kernel, noise, JPEG.
/// Errors: those of jpeg_round_trip.
Result<Canvas> degrade(const Canvas& large, int factor, const Degradation& degradation, Random random);

}  // namespace weir::synth
