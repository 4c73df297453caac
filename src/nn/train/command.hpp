#pragma once

#include <cstddef>
#include <variant>

#include "compute/kernels/training/training.hpp"

/// The commands that a training device executes. A command is plain data, so that a device can execute it at once,
/// collect it, or translate it to other commands. reference_training_device.cpp and reference_loops.hpp define what
/// each command computes. The values of pictures are stored channels-last: [images, h, w, channels]. A row is the
/// channels of one pixel, or a row of a matrix; `rows` is the number of rows of all pictures together.
///
/// In the formulas, "(+)=" means: adds to the output if `accumulate` is true, else overwrites it. A command with "Back"
/// in its name belongs to the backward pass: it computes gradients of the loss.
namespace weir::nn::train {

/// A reference to an array of values in a device's memory; it does not own the array.
struct Operand {
  void* memory = nullptr;  ///< only the device may dereference it; null: the operand is empty, there is no array
  std::size_t count = 0;   ///< number of values
  explicit operator bool() const { return memory != nullptr; }
};

/// out[i] = value for every i
struct FillCommand {
  Operand out;
  double value = 0;
};

/// out [rows, columns] (+)= bias + matrix product of a and b; a is [rows, inner] (stored as [inner, rows] if
/// `transpose_a`), b is [inner, columns] (stored as [columns, inner] if `transpose_b`). `bias` [columns] is added to
/// each row; it may be empty.
struct MatrixProductCommand {
  Operand a, b, bias, out;
  int rows = 0, columns = 0, inner = 0;
  bool transpose_a = false, transpose_b = false, accumulate = false;
};

/// out [columns, rows] (+)= the transpose of in [rows, columns]
struct TransposeCommand {
  Operand in, out;
  int rows = 0, columns = 0;
  bool accumulate = false;
};

/// The window of a convolution or a pooling operation, in pixels, the same on both axes: `kernel` is its side, `stride`
/// the distance between two windows, `padding` the number of rows or columns of zeros that are added on each side of
/// the picture.
struct Window {
  int kernel = 1, stride = 1, padding = 0;
  bool operator==(const Window&) const = default;
};

/// The extents of a convolution or a pooling operation, for both axes: out = (in + 2 * padding - kernel) / stride + 1,
/// rounded down.
struct WindowShape {
  int images = 0, in_h = 0, in_w = 0, in_c = 0, out_h = 0, out_w = 0, out_c = 0;
  Window window;
};

/// out [images, out_h, out_w, out_c] (+)= bias + cross-correlation of in [images, in_h, in_w, in_c] and
/// weights [kernel, kernel, in_c, out_c]. `bias` [out_c] may be empty.
struct ConvolveCommand {
  Operand in, weights, bias, out;
  WindowShape shape;
  bool accumulate = false;
};
/// Computes the gradient of a convolution with respect to its input. `shape` is that of the convolution. A transposed
/// convolution is the same computation.
struct ConvolveBackCommand {
  Operand out_gradient, weights, in_gradient;
  WindowShape shape;
  bool accumulate = false;
};
/// Computes the gradient of a convolution with respect to its weights. `shape` is that of the convolution.
struct ConvolveWeightsBackCommand {
  Operand in, out_gradient, weight_gradient;
  WindowShape shape;
  bool accumulate = false;
};

/// out[row][channel] = in[row][channel] + bias[channel]
struct AddBiasCommand {
  Operand in, bias, out;
  std::size_t rows = 0, channels = 0;
};
/// out[channel] (+)= the sum of in[row][channel] over all rows
struct SumRowsCommand {
  Operand in, out;
  std::size_t rows = 0, channels = 0;
  bool accumulate = false;
};

/// out (+)= alpha * a + beta * b; if `b` is empty, out (+)= alpha * a.
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
/// out = f(in), value by value, where f is the activation function `kind`.
struct ActivateCommand {
  Operand in, out;
  ActivationKind kind = ActivationKind::relu;
  double slope = 0;  ///< negative slope of leaky_relu
};
/// in_gradient (+)= out_gradient * f'(in), the gradient of ActivateCommand; `out` is f(in).
struct ActivateBackCommand {
  Operand in, out, out_gradient, in_gradient;
  ActivationKind kind = ActivationKind::relu;
  double slope = 0;
  bool accumulate = false;
};
/// out = in < 0 ? in * slopes[channel] : in; in and out are [rows, channels].
struct PReluCommand {
  Operand in, slopes, out;
  std::size_t rows = 0, channels = 0;
};
/// Computes the gradients of PReluCommand. `in_gradient` and `slope_gradient` may be empty: then they are not computed.
struct PReluBackCommand {
  Operand in, slopes, out_gradient, in_gradient, slope_gradient;
  std::size_t rows = 0, channels = 0;
  bool accumulate_in = false, accumulate_slopes = false;
};

/// Rearranges a small picture [images, h, w, channels * factor * factor] to a large one [images, h * factor, w *
/// factor, channels]: `h` and `w` are sizes of the small picture, `channels` is the number of channels of the large
/// one. Each small pixel becomes a block of factor * factor large pixels: channel (c * factor + y) * factor + x of the
/// small pixel becomes channel c of the pixel in row y and column x of the block.
struct PixelShuffleCommand {
  Operand in, out;
  int images = 0, h = 0, w = 0, channels = 0, factor = 1;
  bool inverse = false;  ///< true: rearranges the large picture to the small one
  bool accumulate = false;
};

/// out[row][out_first + c] (+)= in[row][in_first + c] for each channel c from 0 to count - 1; other channels of `out`
/// do not change. `in` has in_channels values in each row, `out` has out_channels.
struct CopyChannelsCommand {
  Operand in, out;
  std::size_t rows = 0;
  int in_channels = 0, in_first = 0, out_channels = 0, out_first = 0, count = 0;
  bool accumulate = false;
};

/// Each output value is the largest input value in its window, channel by channel. `shape.window.padding` is 0.
struct MaxPoolCommand {
  Operand in, out;
  WindowShape shape;
};
/// Computes the gradient of MaxPoolCommand. Adds each output gradient to the input gradient of the largest value in its
/// window; among equal values, that is the first one in row order. If `accumulate` is false, the input gradients start
/// at 0.
struct MaxPoolBackCommand {
  Operand in, out_gradient, in_gradient;
  WindowShape shape;
  bool accumulate = false;
};

using compute::LossKind;
/// out[0] = the mean of the loss over all values; compute::LossKind has the formulas. LossKind::prediction ignores `target`.
struct LossCommand {
  Operand prediction, target, out;
  LossKind kind = LossKind::squared;
  double epsilon = 0;  ///< parameter of LossKind::charbonnier
};
/// in_gradient (+)= out_gradient[0] * derivative of out[0] of LossCommand with respect to the prediction
struct LossBackCommand {
  Operand prediction, target, out_gradient, in_gradient;
  LossKind kind = LossKind::squared;
  double epsilon = 0;
  bool accumulate = false;
};
/// out[0] = the mean over rows of -sum_c target[c] * log(softmax(prediction)[c]); the targets of a row sum to 1.
struct CrossEntropyCommand {
  Operand prediction, target, out;
  std::size_t rows = 0, channels = 0;
};
/// in_gradient (+)= out_gradient[0] * derivative of out[0] of CrossEntropyCommand with respect to the prediction
struct CrossEntropyBackCommand {
  Operand prediction, target, out_gradient, in_gradient;
  std::size_t rows = 0, channels = 0;
  bool accumulate = false;
};

/// out[0] (+)= the sum of in[i]^2
struct SumSquaresCommand {
  Operand in, out;
  bool accumulate = false;
};

/// Limits the Euclidean norm of the gradients of all parameters together. `squared_norm` has one value: the sum of the
/// squares of all these gradients. The gradient of the command is multiplied by min(1, max_norm /
/// sqrt(squared_norm[0])). If `squared_norm` is empty, there is no limit.
struct GradientClip {
  Operand squared_norm;
  double max_norm = 0;
};
/// One step of the Adam optimiser for one parameter; compute::AdamJob has the formula. `mean` and `square` are the
/// moving averages of the gradient and of its square; `rate` is the learning rate.
struct AdamCommand {
  Operand weights, gradient, mean, square;
  GradientClip clip;
  double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
  double correct1 = 1, correct2 = 1;  ///< 1 / (1 - beta1^n) and 1 / (1 - beta2^n) in step n; the first step has n = 1
};
/// One step of stochastic gradient descent with momentum for one parameter; compute::SgdJob has the formula. `rate` is
/// the learning rate.
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
