#pragma once

#include "synth/canvas.hpp"

namespace weir::synth {

/// Similarity of a picture to its reference.
struct Quality {
  double psnr = 0;  ///< peak signal-to-noise ratio in dB, of luma in the 8-bit range
  double ssim = 0;  ///< structural similarity of luma; 1 for equal pictures
};

/// Compares the luma of two pictures of the same size, in the studio range of ITU-R BT.601 (16 to 235), as papers on
/// super-resolution do. The outer `border` pixels on each side are not compared. The signal-to-noise ratio is at most
/// 100 dB, that of equal pictures.
/// Source  Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
///         IEEE Trans. Image Processing 13 (2004): windows of 11 x 11 pixels, Gaussian with standard deviation 1.5
Quality measure_quality(const Canvas& picture, const Canvas& reference, int border);

}  // namespace weir::synth
