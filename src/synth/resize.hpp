#pragma once

#include "synth/canvas.hpp"

namespace weir::synth {

enum class ResizeKernel {
  box,       ///< the mean of what lies under a pixel
  triangle,  ///< widened by the factor
  cubic,     ///< Keys, a = -0.5, widened by the factor: what Pillow and Matlab call bicubic, with antialiasing
  lanczos3,  ///< three lobes, widened by the factor
};

/// Smaller by a whole factor on each axis, on the values as they are (no linear light), edges continued. Width and height
/// must be multiples of the factor.
/// Source  Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29 (1981);
///         Duchon, "Lanczos Filtering in One and Two Dimensions", J. Appl. Meteorology 18 (1979)
Canvas shrink(const Canvas& canvas, int factor, ResizeKernel kernel);

/// Larger by a whole factor on each axis, likewise; the kernel is not widened.
Canvas enlarge(const Canvas& canvas, int factor, ResizeKernel kernel);

/// Gaussian blur; a deviation of 0 changes nothing.
Canvas blur(const Canvas& canvas, float deviation);

}  // namespace weir::synth
