#pragma once

#include <cstddef>
#include <string_view>

namespace weir::compute {

/// A sum of products, from which every matrix product and all three passes of a convolution are made:
///
///   out[i][j] (+)= bias[j] + sum_o sum_k values[o * values_outer + i * row_step + k * inner_step]
///                                      * matrix[o * matrix_outer + k * matrix_step + j]
///
/// for i below `rows`, j below `columns`, o below `outer`, k below `inner`; all steps in floats.
/// Behind the last row of `matrix`, and behind `bias`, at least kPadding floats must be readable; they have no effect.
/// Each out[i][j] is summed in the order of o and k, whatever the other numbers are.
struct ProductJob {
  const float* values = nullptr;
  std::ptrdiff_t values_outer = 0, row_step = 0, inner_step = 1;
  const float* matrix = nullptr;
  std::ptrdiff_t matrix_outer = 0, matrix_step = 0;
  int outer = 1, inner = 0, rows = 0, columns = 0;
  const float* bias = nullptr;  ///< null: none
  float* out = nullptr;
  std::ptrdiff_t out_step = 0;
  bool accumulate = false;
};
inline constexpr int kProductPadding = 16;  ///< floats of the widest vector

enum class ActivationKind { relu, leaky_relu, sigmoid, tanh };
enum class LossKind { mean, squared, absolute, charbonnier };

/// One step of an optimiser over `count` weights. Source: Kingma and Ba, "Adam", ICLR 2015; the decay of the weights is
/// apart from the gradient: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
template <class T>
struct AdamJob {
  T* weights = nullptr;
  const T* gradient = nullptr;
  T *mean_gradient = nullptr, *mean_square = nullptr;
  T gradient_scale = 1;  ///< of the gradient
  T learning_rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, weight_decay = 0;
  T correction1 = 1, correction2 = 1;  ///< 1 / (1 - beta^step)
};
template <class T>
struct SgdJob {
  T* weights = nullptr;
  const T* gradient = nullptr;
  T* velocity = nullptr;
  T gradient_scale = 1, learning_rate = 0, momentum = 0, weight_decay = 0;
};

/// What training needs of one instruction set; elementwise.hpp defines the rest in plain loops. Thread-safe.
struct TrainingKernels {
  std::string_view name;  ///< as in Kernels
  int lanes;
  int group_rows;  ///< rows of a product that are best worked on at once: a multiple of every tile's
  void (*product)(const ProductJob&);

  /// out (+)= alpha * a + beta * b; `b` may be null.
  void (*combine)(const float* a, const float* b, float* out, float alpha, float beta, bool accumulate, std::size_t n);
  /// out (+)= scale * a * b
  void (*multiply)(const float* a, const float* b, float* out, float scale, bool accumulate, std::size_t n);
  void (*activate)(ActivationKind, float slope, const float* in, float* out, std::size_t n);
  /// in_gradient (+)= out_gradient * f'(in); `out` = f(in)
  void (*activate_back)(ActivationKind, float slope, const float* in, const float* out, const float* out_gradient,
                        float* in_gradient, bool accumulate, std::size_t n);
  void (*add_bias)(const float* in, const float* bias, float* out, std::size_t rows, std::size_t channels);
  void (*prelu)(const float* in, const float* slopes, float* out, std::size_t rows, std::size_t channels);
  void (*prelu_back)(const float* in, const float* slopes, const float* out_gradient, float* in_gradient,
                     bool accumulate, std::size_t rows, std::size_t channels);
  /// sums[channel] += over rows, of out_gradient * in where in is below zero
  void (*prelu_slopes)(const float* in, const float* out_gradient, float* sums, std::size_t rows, std::size_t channels);
  /// sums[channel] += over rows
  void (*sum_rows)(const float* in, float* sums, std::size_t rows, std::size_t channels);
  double (*sum_squares)(const float* in, std::size_t n);
  /// Sum of the distances between prediction and target; for Distance::mean of the predictions alone.
  double (*loss)(LossKind, float epsilon, const float* prediction, const float* target, std::size_t n);
  /// gradient (+)= scale * derivative of the distance by the prediction
  void (*loss_back)(LossKind, float epsilon, const float* prediction, const float* target, float scale, float* gradient,
                    bool accumulate, std::size_t n);
  /// out[c] = the largest of taps[0..count-1][c]
  void (*max_pool)(const float* const* taps, int count, float* out, std::size_t channels);
  /// gradients[t][c] += out_gradient[c] for the first t whose taps[t][c] is the largest
  void (*max_pool_back)(const float* const* taps, int count, const float* out_gradient, float* const* gradients,
                        std::size_t channels);
  void (*adam)(const AdamJob<float>&, std::size_t n);
  void (*sgd)(const SgdJob<float>&, std::size_t n);
};

const TrainingKernels& plain_training_kernels();
/// Those of the fastest instruction set that this machine has.
const TrainingKernels& best_training_kernels();
/// Null, if there are none of this name or the machine lacks the set; names as in find_kernels.
const TrainingKernels* find_training_kernels(std::string_view name);

}  // namespace weir::compute
