#pragma once

#include <span>

#include "nn/train/tape.hpp"

/// Operations on tensors. All tensors of a call belong to the same tape. An operation records its commands
/// (command.hpp) and its backward function on the tape, and returns the result. Errors are kept by the tape
/// (Tape::status): invalid_argument, with the operation and the shapes, if a shape does not fit; those of the device.
namespace weir::nn::train {

// matrix.cpp. Matrices are [rows, columns, 1, 1].
/// Returns the matrix product of a [rows, inner] and b [inner, columns].
TapeTensor matmul(TapeTensor a, TapeTensor b);
/// Returns the transposed matrix.
TapeTensor mat_transpose(TapeTensor a);
/// Returns x [n, c, h, w] + bias [1, c].
TapeTensor add_bias(TapeTensor x, TapeTensor bias);
/// Returns the matrix product of x [n, in] and weights [in, out], plus bias [1, out]. x may be pictures [n, c, h, w]
/// with h * w * c = in: the values of a picture, in memory order [h, w, c], are then a row of x.
TapeTensor linear(TapeTensor x, TapeTensor weights, TapeTensor bias);

// pointwise.cpp. Each computes value by value. The two inputs of add() and mul() have the same shape.
TapeTensor add(TapeTensor a, TapeTensor b);
TapeTensor mul(TapeTensor a, TapeTensor b);
TapeTensor relu(TapeTensor x);
/// Returns x where it is not negative, else x * slope.
TapeTensor leaky_relu(TapeTensor x, float slope);
/// Returns x where it is not negative, else x * the slope of the channel; `slopes` is [1, c].
TapeTensor prelu(TapeTensor x, TapeTensor slopes);
TapeTensor sigmoid(TapeTensor x);
TapeTensor tanh(TapeTensor x);

// convolution.cpp. `window.padding` must be less than `window.kernel`, which is at most 1024. A bias is [1, out].
/// Convolves (cross-correlates) x [n, in, h, w] with weights [kernel * kernel * in, out] and adds the bias. WindowShape
/// has the formula of the output size.
TapeTensor conv2d(TapeTensor x, TapeTensor weights, TapeTensor bias, Window window);
/// Transposed convolution of x [n, in, h, w]: each input pixel is multiplied by the kernel, and the product is added to
/// kernel * kernel output pixels, which are `stride` pixels after those of the previous input pixel. Then `padding`
/// rows and columns are removed from each side. `weights` is [kernel * kernel * out, in]; its row (y * kernel + x) *
/// out + k belongs to kernel position (y, x) and output channel k. Each side of the output is (side of x - 1) * stride
/// + kernel - 2 * padding.
TapeTensor conv_transpose2d(TapeTensor x, TapeTensor weights, TapeTensor bias, Window window);
/// Returns the largest value in each window, channel by channel; window.padding must be 0.
TapeTensor max_pool(TapeTensor x, Window window);

// layout.cpp
/// Rearranges [n, c * factor * factor, h, w] to [n, c, h * factor, w * factor], in the order of PixelShuffleCommand.
TapeTensor pixel_shuffle(TapeTensor x, int factor);
/// Joins tensors along their channels. `parts` has at least one tensor; all have the same n, h and w.
TapeTensor concat(std::span<const TapeTensor> parts);

// loss.cpp. Each returns one value [1], a mean: of cross_entropy() over all rows, of the others over all values. The
// prediction and the target have the same shape. No gradient is computed for the target.
TapeTensor mean(TapeTensor x);
/// Returns the mean of difference^2.
TapeTensor mse(TapeTensor prediction, TapeTensor target);
/// Returns the mean of the absolute difference.
TapeTensor l1(TapeTensor prediction, TapeTensor target);
/// Returns the mean of sqrt(difference^2 + epsilon^2). Source: Charbonnier et al., "Two deterministic half-quadratic
/// regularization algorithms for computed imaging", ICIP 1994
TapeTensor charbonnier(TapeTensor prediction, TapeTensor target, float epsilon = 1e-3F);
/// Returns the mean cross entropy of softmax(scores) and target, both [rows, classes] or pictures [n, classes, h, w],
/// whose rows are the pixels. A row of `target` has the probability of each class; the probabilities sum to 1.
TapeTensor cross_entropy(TapeTensor scores, TapeTensor target);

}  // namespace weir::nn::train
