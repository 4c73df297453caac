#pragma once

#include <span>

#include "nn/train/tape.hpp"

/// Operations on tensors of one tape, forwards and backwards. A shape that does not fit is the tape's error
/// (invalid_argument, naming operation and shapes). Definitions: command.hpp.
namespace weir::nn::train {

// matrix.cpp. Matrices are [rows, columns, 1, 1].
TapeTensor matmul(TapeTensor a, TapeTensor b);
TapeTensor mat_transpose(TapeTensor a);
/// x [n, c, h, w] + bias, one value for each channel.
TapeTensor add_bias(TapeTensor x, TapeTensor bias);
/// x [n, in] weights [in, out] + bias; a picture is taken as its values, pixel by pixel: [n, h * w * c].
TapeTensor linear(TapeTensor x, TapeTensor weights, TapeTensor bias);

// pointwise.cpp
TapeTensor add(TapeTensor a, TapeTensor b);
TapeTensor mul(TapeTensor a, TapeTensor b);
TapeTensor relu(TapeTensor x);
TapeTensor leaky_relu(TapeTensor x, float slope);
/// One slope for each channel.
TapeTensor prelu(TapeTensor x, TapeTensor slopes);
TapeTensor sigmoid(TapeTensor x);
TapeTensor tanh(TapeTensor x);

// convolution.cpp. The padding is less than the kernel; a bias has one value for each channel.
/// weights [kernel * kernel * in, out], `out` a bias's channels
TapeTensor conv2d(TapeTensor x, TapeTensor weights, TapeTensor bias, Window window);
/// Every input pixel adds its kernel to the output, of extent (n - 1) * stride + kernel - 2 * padding.
/// weights [kernel * kernel * out, in]
TapeTensor conv_transpose2d(TapeTensor x, TapeTensor weights, TapeTensor bias, Window window);
/// window.padding is 0.
TapeTensor max_pool(TapeTensor x, Window window);

// layout.cpp
/// [n, c * factor * factor, h, w] to [n, c, h * factor, w * factor]
TapeTensor pixel_shuffle(TapeTensor x, int factor);
/// Along channels; at least one.
TapeTensor concat(std::span<const TapeTensor> parts);

// loss.cpp. All give [1]; a target's gradient is not computed.
TapeTensor mean(TapeTensor x);
TapeTensor mse(TapeTensor prediction, TapeTensor target);
TapeTensor l1(TapeTensor prediction, TapeTensor target);
/// mean of sqrt(d^2 + epsilon^2). Source: Charbonnier et al., "Two deterministic half-quadratic regularization
/// algorithms for computed imaging", ICIP 1994
TapeTensor charbonnier(TapeTensor prediction, TapeTensor target, float epsilon = 1e-3F);
/// Of softmax(scores) and the target's share of each class; [rows, classes].
TapeTensor cross_entropy(TapeTensor scores, TapeTensor target);

}  // namespace weir::nn::train
