#pragma once

#include <cstddef>
#include <string_view>

namespace weir::compute {

// In this file, (+)= stands for += if `accumulate` is true, and for = otherwise.

/// A generalised matrix product. It computes every matrix product, and all three products of a convolution (the result,
/// and the gradients of input and weights):
///
///   out[i][j] (+)= bias[j] + sum_o sum_k values[o * values_outer_step + i * row_step + k * inner_step]
///                                      * matrix[o * matrix_outer_step + k * matrix_step + j]
///
/// for i < `rows`, j < `columns`, o < `outer`, k < `inner`. out[i][j] is out[i * out_step + j]. The fields *_step
/// are distances in floats.
/// At least kProductPadding floats after the last row of `matrix`, and after `bias`, must be readable; they have no
/// effect. Each out[i][j] is summed in the order of o and k, whatever the sizes are.
struct ProductJob {
  const float* values = nullptr;
  std::ptrdiff_t values_outer_step = 0, row_step = 0, inner_step = 1;
  const float* matrix = nullptr;
  std::ptrdiff_t matrix_outer_step = 0, matrix_step = 0;
  int outer = 1, inner = 0, rows = 0, columns = 0;
  const float* bias = nullptr;  ///< null: no bias
  float* out = nullptr;
  std::ptrdiff_t out_step = 0;
  bool accumulate = false;
};
inline constexpr int kProductPadding = 16;  ///< number of floats in the widest vector of all instruction sets

/// Activation functions of training.
enum class ActivationKind { relu, leaky_relu, sigmoid, tanh };
/// Losses. With a prediction p and a target t, the loss of an element is p itself (`prediction`), (p - t)^2 (`squared`),
/// |p - t| (`absolute`), or sqrt((p - t)^2 + epsilon^2) (`charbonnier`). The loss of training is the mean over all
/// elements.
enum class LossKind { prediction, squared, absolute, charbonnier };

/// One step of the Adam optimiser. Source: Kingma and Ba, "Adam", ICLR 2015; the weight decay is separate from the
/// gradient (AdamW): Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
template <class T>
struct AdamJob {
  T* weights = nullptr;  ///< updated
  const T* gradient = nullptr;
  T *mean_gradient = nullptr, *mean_square = nullptr;  ///< running means of the gradient and of its square; updated
  T gradient_scale = 1;                                ///< factor of the gradient
  T learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, weight_decay = 0;
  T correction1 = 1, correction2 = 1;  ///< 1 / (1 - beta1^step), 1 / (1 - beta2^step)
};
/// One step of stochastic gradient descent with momentum. The weight decay is separate from the gradient: it does not
/// enter the velocity.
template <class T>
struct SgdJob {
  T* weights = nullptr;  ///< updated
  const T* gradient = nullptr;
  T* velocity = nullptr;  ///< momentum * old velocity + scaled gradient; updated
  T gradient_scale = 1, learning_rate = 0, momentum = 0, weight_decay = 0;
};

/// The training kernels of one instruction set. product.hpp defines `product`, elementwise.hpp the other functions.
/// Thread-safe. `n` is the number of elements of an array; arrays with rows and channels are [rows][channels].
struct TrainingKernels {
  std::string_view name;  ///< the same as Kernels::name
  int lanes;              ///< number of floats in a vector
  int group_rows;         ///< `product` is fastest if ProductJob::rows is a multiple of this number
  void (*product)(const ProductJob&);

  /// out (+)= alpha * a + beta * b; if `b` is null, out (+)= alpha * a.
  void (*combine)(const float* a, const float* b, float* out, float alpha, float beta, bool accumulate, std::size_t n);
  /// out (+)= scale * a * b
  void (*multiply)(const float* a, const float* b, float* out, float scale, bool accumulate, std::size_t n);
  /// out = f(in), where f is the activation function; `slope` is used by leaky_relu only.
  void (*activate)(ActivationKind, float slope, const float* in, float* out, std::size_t n);
  /// in_gradient (+)= out_gradient * f'(in); `out` = f(in)
  void (*activate_back)(ActivationKind, float slope, const float* in, const float* out, const float* out_gradient,
                        float* in_gradient, bool accumulate, std::size_t n);
  /// out[row][channel] = in[row][channel] + bias[channel]
  void (*add_bias)(const float* in, const float* bias, float* out, std::size_t rows, std::size_t channels);
  /// out = in for in >= 0, out = in * slopes[channel] for in < 0
  void (*prelu)(const float* in, const float* slopes, float* out, std::size_t rows, std::size_t channels);
  /// in_gradient (+)= out_gradient for in >= 0, out_gradient * slopes[channel] for in < 0: the gradient of prelu's
  /// input
  void (*prelu_back)(const float* in, const float* slopes, const float* out_gradient, float* in_gradient,
                     bool accumulate, std::size_t rows, std::size_t channels);
  /// sums[channel] += sum of out_gradient * in over the rows where `in` is negative: the gradient of prelu's slopes
  void (*prelu_slopes)(const float* in, const float* out_gradient, float* sums, std::size_t rows, std::size_t channels);
  /// sums[channel] += sum over rows of in[row][channel]
  void (*sum_rows)(const float* in, float* sums, std::size_t rows, std::size_t channels);
  /// Returns the sum of in[i]^2.
  double (*sum_squares)(const float* in, std::size_t n);
  /// Returns the sum (not the mean) of the losses of all elements. `epsilon` is used by charbonnier only.
  double (*loss)(LossKind, float epsilon, const float* prediction, const float* target, std::size_t n);
  /// gradient (+)= scale * derivative of each element's loss with respect to its prediction
  void (*loss_back)(LossKind, float epsilon, const float* prediction, const float* target, float scale, float* gradient,
                    bool accumulate, std::size_t n);
  /// out[c] = the largest of taps[t][c], t < count. The taps are the pixels of a window.
  void (*max_pool)(const float* const* taps, int count, float* out, std::size_t channels);
  /// gradients[t][c] += out_gradient[c] for the first t for which taps[t][c] is the largest
  void (*max_pool_back)(const float* const* taps, int count, const float* out_gradient, float* const* gradients,
                        std::size_t channels);
  /// Each performs one step for `n` weights.
  void (*adam)(const AdamJob<float>&, std::size_t n);
  void (*sgd)(const SgdJob<float>&, std::size_t n);
};

/// Returns the plain training kernels, which every machine can run.
const TrainingKernels& plain_training_kernels();
/// Returns the training kernels of the fastest instruction set that this machine can run.
const TrainingKernels& best_training_kernels();
/// Returns the training kernels with this name, as in find_kernels(); null if no kernels have it or this machine cannot
/// run them.
const TrainingKernels* find_training_kernels(std::string_view name);

}  // namespace weir::compute
