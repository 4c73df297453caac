#pragma once

#include <cstddef>
#include <variant>

#include "compute/kernels/training/training.hpp"

/// What a device is asked to do while a network is trained: plain data, so that a device may run it at once, collect it,
/// or translate it. The definition of each is reference_device.cpp.
namespace weir::nn::train {

/// Values in a device's memory. What `memory` points to is the device's own business.
struct Operand {
  void* memory = nullptr;
  std::size_t count = 0;  ///< values
  explicit operator bool() const { return memory != nullptr; }
};

/// out[i] = value
struct FillCommand {
  Operand out;
  double value = 0;
};

/// out [rows, columns] (+)= bias + a b, of a [rows, inner] (stored as [inner, rows] if transpose_a) and b [inner, columns]
/// (stored as [columns, inner] if transpose_b). `bias` [columns] may be empty.
struct MatrixProductCommand {
  Operand a, b, bias, out;
  int rows = 0, columns = 0, inner = 0;
  bool transpose_a = false, transpose_b = false, accumulate = false;
};

/// in [rows, columns], out [columns, rows]
struct TransposeCommand {
  Operand in, out;
  int rows = 0, columns = 0;
  bool accumulate = false;
};

/// The same on both axes; zero padding.
struct Window {
  int kernel = 1, stride = 1, padding = 0;
  bool operator==(const Window&) const = default;
};

/// Extents of a convolution or a pooling; out = (in + 2 * padding - kernel) / stride + 1.
struct WindowShape {
  int images = 0, in_h = 0, in_w = 0, in_c = 0, out_h = 0, out_w = 0, out_c = 0;
  Window window;
};

/// Cross-correlation. in [images, in_h, in_w, in_c], weights [kernel, kernel, in_c, out_c], out [images, out_h, out_w, out_c]
struct ConvolveCommand {
  Operand in, weights, bias, out;
  WindowShape shape;
  bool accumulate = false;
};
/// The gradient by `in`: also what a transposed convolution computes.
struct ConvolveBackCommand {
  Operand out_gradient, weights, in_gradient;
  WindowShape shape;
  bool accumulate = false;
};
struct ConvolveWeightsBackCommand {
  Operand in, out_gradient, weight_gradient;
  WindowShape shape;
  bool accumulate = false;
};

/// [rows, channels]
struct AddBiasCommand {
  Operand in, bias, out;
  std::size_t rows = 0, channels = 0;
};
/// out[channel] (+)= sum over rows
struct SumRowsCommand {
  Operand in, out;
  std::size_t rows = 0, channels = 0;
  bool accumulate = false;
};

/// out (+)= alpha * a + beta * b; `b` may be empty.
struct CombineCommand {
  Operand a, b, out;
  double alpha = 1, beta = 1;
  bool accumulate = false;
};
/// out (+)= scale * a * b
struct MultiplyCommand {
  Operand a, b, out;
  double scale = 1;
  bool accumulate = false;
};

using compute::ActivationKind;
struct ActivateCommand {
  Operand in, out;
  ActivationKind kind = ActivationKind::relu;
  double slope = 0;  ///< of leaky_relu
};
struct ActivateBackCommand {
  Operand in, out, out_gradient, in_gradient;
  ActivationKind kind = ActivationKind::relu;
  double slope = 0;
  bool accumulate = false;
};
/// x < 0 ? x * slopes[channel] : x
struct PReluCommand {
  Operand in, slopes, out;
  std::size_t rows = 0, channels = 0;
};
/// Either gradient may be empty: it is not wanted.
struct PReluBackCommand {
  Operand in, slopes, out_gradient, in_gradient, slope_gradient;
  std::size_t rows = 0, channels = 0;
  bool accumulate_in = false, accumulate_slopes = false;
};

/// small [images, h, w, channels * factor * factor], large [images, h * factor, w * factor, channels]; channel
/// (c * factor + y) * factor + x of a small pixel is channel c of pixel (y, x) of its block.
struct PixelShuffleCommand {
  Operand in, out;
  int images = 0, h = 0, w = 0, channels = 0, factor = 1;
  bool inverse = false;  ///< from large to small
  bool accumulate = false;
};

/// out[row][out_first + c] (+)= in[row][in_first + c] for c below count
struct CopyChannelsCommand {
  Operand in, out;
  std::size_t rows = 0;
  int in_channels = 0, in_first = 0, out_channels = 0, out_first = 0, count = 0;
  bool accumulate = false;
};

/// No padding; of equal values the first, row by row, is the largest.
struct MaxPoolCommand {
  Operand in, out;
  WindowShape shape;
};
struct MaxPoolBackCommand {
  Operand in, out_gradient, in_gradient;
  WindowShape shape;
  bool accumulate = false;
};

/// out[0] = the mean of the distances over all values
using compute::LossKind;
struct LossCommand {
  Operand prediction, target, out;
  LossKind kind = LossKind::squared;
  double epsilon = 0;  ///< of charbonnier
};
/// in_gradient (+)= out_gradient[0] * derivative of Loss by prediction
struct LossBackCommand {
  Operand prediction, target, out_gradient, in_gradient;
  LossKind kind = LossKind::squared;
  double epsilon = 0;
  bool accumulate = false;
};
/// out[0] = mean over rows of -sum_c target[c] * log(softmax(prediction)[c]); the targets of a row sum to 1.
struct CrossEntropyCommand {
  Operand prediction, target, out;
  std::size_t rows = 0, channels = 0;
};
struct CrossEntropyBackCommand {
  Operand prediction, target, out_gradient, in_gradient;
  std::size_t rows = 0, channels = 0;
  bool accumulate = false;
};

/// out[0] (+)= sum of in[i]^2
struct SumSquaresCommand {
  Operand in, out;
  bool accumulate = false;
};

/// The gradient is scaled by min(1, most / sqrt(squares[0])) where `squares` is not empty.
struct GradientClip {
  Operand squared_norm;
  double max_norm = 0;
};
struct AdamCommand {
  Operand weights, gradient, mean, square;
  GradientClip clip;
  double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  double correct1 = 1, correct2 = 1;  ///< 1 / (1 - beta^step)
};
struct SgdCommand {
  Operand weights, gradient, velocity;
  GradientClip clip;
  double rate = 1e-2, momentum = 0, weight_decay = 0;
};

using Command =
    std::variant<FillCommand, MatrixProductCommand, TransposeCommand, ConvolveCommand, ConvolveBackCommand,
                 ConvolveWeightsBackCommand, AddBiasCommand, SumRowsCommand, CombineCommand, MultiplyCommand,
                 ActivateCommand, ActivateBackCommand, PReluCommand, PReluBackCommand, PixelShuffleCommand,
                 CopyChannelsCommand, MaxPoolCommand, MaxPoolBackCommand, LossCommand, LossBackCommand,
                 CrossEntropyCommand, CrossEntropyBackCommand, SumSquaresCommand, AdamCommand, SgdCommand>;

}  // namespace weir::nn::train
