#pragma once

#include <span>

#include "nn/train/tape.hpp"

/// Operations on tensors of one tape, forwards and backwards. A shape that does not fit is the tape's error
/// (invalid_argument, naming operation and shapes). Definitions: command.hpp.
namespace weir::nn::train {

// matrix.cpp. Matrices are [rows, columns, 1, 1].
Tensor matmul(Tensor a, Tensor b);
Tensor mat_transpose(Tensor a);
/// x [n, c, h, w] + bias, one value for each channel.
Tensor add_bias(Tensor x, Tensor bias);
/// x [n, in] weights [in, out] + bias; a picture is taken as its values, pixel by pixel: [n, h * w * c].
Tensor linear(Tensor x, Tensor weights, Tensor bias);

// pointwise.cpp
Tensor add(Tensor a, Tensor b);
Tensor mul(Tensor a, Tensor b);
Tensor relu(Tensor x);
Tensor leaky_relu(Tensor x, float slope);
/// One slope for each channel.
Tensor prelu(Tensor x, Tensor slopes);
Tensor sigmoid(Tensor x);
Tensor tanh(Tensor x);

// convolution.cpp. The padding is less than the kernel; a bias has one value for each channel.
/// weights [kernel * kernel * in, out], `out` a bias's channels
Tensor conv2d(Tensor x, Tensor weights, Tensor bias, Window window);
/// Every input pixel adds its kernel to the output, of extent (n - 1) * stride + kernel - 2 * padding.
/// weights [kernel * kernel * out, in]
Tensor conv_transpose2d(Tensor x, Tensor weights, Tensor bias, Window window);
/// window.padding is 0.
Tensor max_pool(Tensor x, Window window);

// layout.cpp
/// [n, c * factor * factor, h, w] to [n, c, h * factor, w * factor]
Tensor pixel_shuffle(Tensor x, int factor);
/// Along channels; at least one.
Tensor concat(std::span<const Tensor> parts);

// loss.cpp. All give [1]; a target's gradient is not computed.
Tensor mean(Tensor x);
Tensor mse(Tensor prediction, Tensor target);
Tensor l1(Tensor prediction, Tensor target);
/// mean of sqrt(d^2 + epsilon^2). Source: Charbonnier et al., "Two deterministic half-quadratic regularization
/// algorithms for computed imaging", ICIP 1994
Tensor charbonnier(Tensor prediction, Tensor target, float epsilon = 1e-3F);
/// Of softmax(scores) and the target's share of each class; [rows, classes].
Tensor cross_entropy(Tensor scores, Tensor target);

}  // namespace weir::nn::train
