#pragma once

#include "base/result.hpp"
#include "synth/canvas.hpp"
#include "synth/random.hpp"
#include "synth/resize.hpp"

namespace weir::synth {

/// Parameters for making a small picture of lower quality from a large one.
struct Degradation {
  ResizeKernel kernel = ResizeKernel::cubic;
  float blur_sigma = 0;     ///< standard deviation of the blur in pixels of the large picture, applied before shrinking
  float noise_sigma = 0;    ///< standard deviation of the noise; values of a picture are 0 to 1
  bool grey_noise = false;  ///< the noise of a pixel is the same in all three channels
  int jpeg_quality = 0;     ///< JPEG quality, 1 to 100; 0: no JPEG compression
  int chroma = 0;           ///< number of a ChromaSubsampling: 0: 4:4:4, 1: 4:2:2, 2: 4:2:0
};

/// Returns random parameters. With probability `clean_probability` they are the cubic kernel and nothing else.
/// Otherwise:
/// - kernel: cubic in half of the cases, else one of the other three;
/// - blur with a standard deviation of 0.3 to 0.8 pixels in a third of the cases;
/// - noise with a standard deviation of 0.002 to 0.02 in a third of the cases, grey in half of those;
/// - JPEG of quality 60 to 100 in two thirds of the cases; of those, 50 % are 4:2:0, 40 % are 4:4:4
///   and 10 % are 4:2:2.
Degradation random_degradation(Random& random, float clean_probability);

/// Degrades `large` in this order: blur, shrinking by `factor` with the kernel, noise, rounding to 8 bits, JPEG.
/// `random` draws the noise. Errors: those of jpeg_round_trip().
Result<Canvas> degrade(const Canvas& large, int factor, const Degradation& degradation, Random random);

}  // namespace weir::synth
