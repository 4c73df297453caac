#pragma once

// Small networks trained inside a memory limit. C++20.
//
//   auto trainer = weir::training::Trainer::create({.seed = 1});
//   auto hidden = trainer->layer("hidden", 2, 8), out = trainer->layer("out", 8, 1);
//   for (int step = 0; step < 1000; ++step) {
//     auto x = trainer->input({4, 2}, inputs), y = trainer->input({4, 1}, wanted);
//     auto loss = mse(linear(tanh(linear(x, hidden)), out), y);
//     if (auto problem = trainer->step(loss, 0.01)) return complain(problem->what);
//   }

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/upscale.hpp"

namespace weir::training {

/// [n, c, h, w], each at least 1, fewer than 2^30 values; values lie with the channels of a pixel side by side ([n, h, w, c]). A matrix [rows, columns] is [n, c].
struct Shape {
  int n = 0, c = 1, h = 1, w = 1;
  std::size_t count() const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(c) * static_cast<std::size_t>(h) *
           static_cast<std::size_t>(w);
  }
  bool operator==(const Shape&) const = default;
};

/// Of a convolution or a pooling, on both axes; zero padding, less than the kernel; a kernel of at most 1024.
struct Window {
  int kernel = 1, stride = 1, padding = 0;
};

class Trainer;

/// A value of the step under way. One that is empty, of another trainer, or of a step that has ended, and sizes that do
/// not fit, are errors of the operation: its result is empty, and so is what is computed from it; the trainer's step tells
/// the first of them.
class Tensor {
 public:
  Tensor() = default;
  Shape shape() const { return shape_; }  ///< zero images: empty

 private:
  friend struct Access;
  std::weak_ptr<void> trainer_;
  std::uint64_t step_ = 0;
  int index_ = -1;
  Shape shape_;
};

/// Something that is learnt. Used with another trainer, or after its own has gone, it is an error of the operation.
class Parameter {
 public:
  Parameter() = default;

 private:
  friend struct Access;
  std::weak_ptr<void> trainer_;
  int number_ = -1;
};
/// Weights [kernel * kernel * in, out] and bias [1, out].
struct Layer {
  Parameter weights, bias;
};

struct TrainerOptions {
  int threads = 0;  ///< 0: the processors that the process may use; at most 1024
  /// "" or "cpu"; "gpu": the best Vulkan device; a part of its name, GPU-UUID or pci:ADDRESS
  std::string device = {};
  std::uint64_t memory_limit_bytes =
      0;                         ///< the most for tensors, on the device that they are on; 0: what is free there
  std::uint64_t seed = 1;        ///< of the starting weights
  bool use_sgd = false;          ///< instead of Adam
  double momentum = 0;           ///< of SGD; this and all below at least 0
  double weight_decay = 0;       ///< of weights, not of biases and slopes
  double max_gradient_norm = 0;  ///< the most that the norm of all gradients may be; 0: any
  double ema_decay = 0;          ///< decay of the running mean of the weights, below 1; 0: none
};

struct TrainerStatistics {
  std::uint64_t allocated_bytes = 0, in_use_bytes = 0, peak_bytes = 0;
  std::uint64_t max_idle_blocks = 0;          ///< idle blocks of one size, ever: at most 50
  std::uint64_t max_submission_commands = 0;  ///< of a submission, ever: at most 100
};

/// A device, parameters and their optimiser. The result depends on the seed, the inputs and the device (its driver, the
/// CPU's instruction set), not on the number of threads.
/// Not thread-safe. Nothing throws but for want of memory outside of tensors. A trainer may end before its tensors and
/// parameters do; they are then good for nothing, and harmless.
class WEIR_API Trainer {
 public:
  /// Problems: invalid_argument (options out of their range; a device that no name or several have: the text lists them all), unsupported (no Vulkan
  /// here, a driver that lacks something), over_budget.
  static Expected<std::unique_ptr<Trainer>> create(const TrainerOptions& options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Parameters; all before the first step. `slope`: of the rectifier that follows, for the size of the starting values.
  // Sizes below 1 or too large, and a parameter that comes too late, are what the next step tells.
  Layer add_layer(const std::string& name, int in, int out, int kernel = 1, double slope = 0);
  Parameter add_weights(const std::string& name, int rows, int columns, int fan_in, double slope = 0);
  Parameter add_filled_parameter(const std::string& name, int channels, float value);

  /// Values of a step; in the form that Shape tells.
  Tensor input(Shape shape, std::span<const float> values);

  /// Goes backwards from `loss` [1], changes the parameters at this rate (at least 0), and forgets the step's tensors but for those that
  /// were kept. Nothing on success. Problems: those of every operation since the last step (invalid_argument, over_budget; unsupported: the device is lost).
  std::optional<Problem> step(Tensor loss, double rate);
  /// Ends a step without learning: what comes next is computed anew.
  void discard_step();
  /// Values that read() shall find after step(), until the next tensor is made.
  void keep(Tensor tensor);
  Expected<std::vector<float>> read(Tensor tensor);
  /// Exchanges the weights and their running mean; again, to go on.
  void swap_ema_parameters();

  /// Waits until all has been done: once in an epoch is enough.
  std::optional<Problem> sync();
  /// Gives idle memory back. May be called at any time, and again.
  void cleanup();
  TrainerStatistics statistics() const;

  /// A checkpoint: weights, optimiser, running mean and `position`, the caller's own count of data used. The file appears
  /// whole or not at all; training goes on from it, on any device, and with the same bits on the same. Problems: io; corrupt (not a checkpoint of these
  /// parameters, and nothing has changed).
  std::optional<Problem> save(const std::string& path, std::uint64_t position);
  Expected<std::uint64_t> restore(const std::string& path);

 private:
  friend struct Access;
  struct State;
  explicit Trainer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Problems of these, which the step tells: invalid_argument, over_budget.
WEIR_API Tensor matmul(Tensor a, Tensor b);
WEIR_API Tensor mat_transpose(Tensor a);
WEIR_API Tensor add_bias(Tensor x, Parameter bias);
/// A picture is taken as its values.
WEIR_API Tensor linear(Tensor x, Layer layer);
WEIR_API Tensor add(Tensor a, Tensor b);
WEIR_API Tensor mul(Tensor a, Tensor b);
WEIR_API Tensor relu(Tensor x);
WEIR_API Tensor leaky_relu(Tensor x, float slope);
WEIR_API Tensor prelu(Tensor x, Parameter slopes);
WEIR_API Tensor sigmoid(Tensor x);
WEIR_API Tensor tanh(Tensor x);
WEIR_API Tensor conv2d(Tensor x, Layer layer, Window window);
/// weights [kernel * kernel * out, in], bias [1, out]
WEIR_API Tensor conv_transpose2d(Tensor x, Parameter weights, Parameter bias, Window window);
WEIR_API Tensor max_pool(Tensor x, Window window);
WEIR_API Tensor pixel_shuffle(Tensor x, int factor);
/// At least one.
WEIR_API Tensor concat(std::span<const Tensor> parts);
WEIR_API Tensor mean(Tensor x);
WEIR_API Tensor mse(Tensor prediction, Tensor target);
WEIR_API Tensor l1(Tensor prediction, Tensor target);
WEIR_API Tensor charbonnier(Tensor prediction, Tensor target, float epsilon = 1e-3F);
WEIR_API Tensor cross_entropy(Tensor scores, Tensor target);

}  // namespace weir::training
