#pragma once

#include "synth/canvas.hpp"

namespace weir::synth {

/// How near a picture comes to the one that it should be.
struct Quality {
  double psnr = 0;  ///< dB of the luma's 8-bit range
  double ssim = 0;  ///< of the luma, 1 for equal pictures
};

/// Of two pictures of one size, without `border` pixels at each side; luma of ITU-R BT.601 in its studio range (16 to 235),
/// as papers on enlarging measure it. Equal pictures have 100 dB.
/// Source  Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
///         IEEE Trans. Image Processing 13 (2004): windows of 11 x 11 pixels, Gaussian of deviation 1.5
Quality measure_quality(const Canvas& picture, const Canvas& reference, int border);

}  // namespace weir::synth
