#pragma once

#include "synth/canvas.hpp"

namespace weir::synth {

/// Interpolation kernels. When a picture shrinks by a factor, the kernel is widened by this factor (antialiasing).
enum class ResizeKernel {
  box,       ///< shrinking: mean of the covered pixels; enlarging: nearest pixel
  triangle,  ///< linear interpolation
  cubic,     ///< the kernel of R. Keys with a = -0.5: "bicubic" with antialiasing in Pillow and Matlab
  lanczos3,  ///< Lanczos with three lobes
};

/// Shrinks by an integer factor on each axis, on sRGB values (not in linear light), with edge pixels repeated. Width
/// and height must be multiples of the factor.
/// Source  Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP 29 (1981); Duchon,
///         "Lanczos Filtering in One and Two Dimensions", J. Appl. Meteorology 18 (1979)
Canvas shrink(const Canvas& canvas, int factor, ResizeKernel kernel);

/// Enlarges by an integer factor on each axis, on sRGB values with edge pixels repeated; the kernel is not widened.
Canvas enlarge(const Canvas& canvas, int factor, ResizeKernel kernel);

/// Applies a Gaussian blur with standard deviation `deviation` in pixels, cut off at three standard deviations; 0
/// changes nothing.
Canvas blur(const Canvas& canvas, float deviation);

}  // namespace weir::synth
