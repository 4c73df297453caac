#pragma once

#include "synth/canvas.hpp"

namespace weir::synth {

/// Similarity of a picture to its reference.
struct Quality {
  double psnr = 0;  ///< peak signal-to-noise ratio of luma in dB; the peak is 255
  double ssim = 0;  ///< structural similarity of luma; 1 for equal pictures
};

/// Compares the luma of two pictures of the same size, in the studio range of ITU-R BT.601 (16 to 235), as papers on
/// super-resolution do. The outer `border` pixels on each side are not compared. The PSNR is at most 100 dB, that
/// of equal pictures. The SSIM is the mean over all windows that lie in the compared part; 1 if no window fits.
/// Source  Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity",
///         IEEE Trans. Image Processing 13 (2004): windows of 11 x 11 pixels, Gaussian with standard deviation 1.5
Quality measure_quality(const Canvas& picture, const Canvas& reference, int border);

}  // namespace weir::synth
