#pragma once

// Trains small neural networks inside a memory limit. C++20.
//
//   auto trainer = weir::training::Trainer::create({.seed = 1});
//   auto hidden = (*trainer)->add_layer("hidden", 2, 8), out = (*trainer)->add_layer("out", 8, 1);
//   for (int step = 0; step < 1000; ++step) {
//     auto x = (*trainer)->input({4, 2}, inputs), y = (*trainer)->input({4, 1}, targets);
//     auto loss = mse(linear(tanh(linear(x, hidden)), out), y);
//     if (auto problem = (*trainer)->step(loss, 0.01)) return complain(problem->what);
//   }
//
// MEMORY LAYOUT. A shape is written [n, c, h, w] (images, channels, rows, columns), but the values in memory are
// channels-last (NHWC): the values of all channels of one pixel are adjacent, then comes the next pixel of the same
// row. The value of image i, channel k, row y, column x is at index ((i * h + y) * w + x) * c + k. This holds for the
// values that Trainer::input() takes and for those that Trainer::read() returns. A caller that has planes (NCHW) must
// reorder them. All values are 32-bit floating point.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/upscale.hpp"

namespace weir::training {

/// The extents of a tensor, written [n, c, h, w]. Each extent of a usable tensor is at least 1, and the product is less
/// than 2^30. The default has n = 0: the shape of an empty tensor.
/// The order of the members is not the order in memory: values are stored channels-last, as [n, h, w, c].
/// A matrix of [rows, columns] has the shape {rows, columns}: n is the number of rows, c the number of columns, and
/// h = w = 1; in memory it is row-major.
struct Shape {
  int n = 0,  ///< number of images, or of rows of a matrix
      c = 1,  ///< number of channels, or of columns of a matrix
      h = 1,  ///< height in pixels
      w = 1;  ///< width in pixels
  /// Returns the number of values, n * c * h * w.
  std::size_t count() const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(c) * static_cast<std::size_t>(h) *
           static_cast<std::size_t>(w);
  }
  bool operator==(const Shape&) const = default;
};

/// The window of a convolution or a pooling operation; each field applies to both axes. conv_transpose2d() reads
/// `padding` as the rows and columns that it removes from each side of its result.
struct Window {
  int kernel = 1,   ///< side of the kernel in pixels, 1 to 1024
      stride = 1,   ///< distance between two positions of the kernel in pixels, at least 1
      padding = 0;  ///< rows and columns of zeros added on each side of the input, less than `kernel`
};

class Trainer;

/// A handle to a value of the current training step; cheap to copy. The trainer owns the memory of the value.
/// An operation cannot use a tensor that is empty, that belongs to another trainer, or whose step has ended
/// (Trainer::read() can still read some tensors after the step). An operation that gets such a tensor, or shapes that
/// do not fit, fails: it returns an empty tensor, and so does every later operation of the step. Trainer::step() then
/// returns the error of the first operation that failed.
class Tensor {
 public:
  /// Makes an empty tensor.
  Tensor() = default;
  /// Returns the shape; n is 0 for an empty tensor.
  Shape shape() const { return shape_; }

 private:
  friend struct Access;
  std::weak_ptr<void> trainer_;
  std::uint64_t step_ = 0;
  int index_ = -1;
  Shape shape_;
};

/// A handle to values that training changes, such as the weights of a layer; cheap to copy. It is valid as long as its
/// trainer exists, across steps. An operation that gets an empty parameter, or a parameter of another or a destroyed
/// trainer, fails in the same way as with a tensor that cannot be used.
class Parameter {
 public:
  /// Makes an empty parameter.
  Parameter() = default;

 private:
  friend struct Access;
  std::weak_ptr<void> trainer_;
  int number_ = -1;
};
/// The parameters of a linear layer (kernel = 1) or of a convolution.
struct Layer {
  Parameter weights,  ///< matrix [kernel * kernel * in, out]; its row (y * kernel + x) * in + k belongs to position
                      ///< (y, x) of the kernel and input channel k
      bias;           ///< [1, out]: one value per output channel
};

/// Where and how to train.
struct TrainerOptions {
  /// Number of CPU threads, at most kMaxThreads (1024); 0: as many as the processors that the process may use.
  int threads = 0;
  /// The device: "" or "cpu": the CPU; "gpu": the best Vulkan device; otherwise a part of a device's name, its
  /// GPU-UUID, or pci:ADDRESS.
  std::string device = {};
  /// Limit of the memory for all tensors and parameters, in bytes: of main memory if the device is the CPU, of the
  /// GPU's memory if it is a GPU. 0: on the CPU, the memory that is available when the trainer is created; on a GPU, no
  /// limit except that of its driver.
  std::uint64_t memory_limit_bytes = 0;
  std::uint64_t seed = 1;        ///< seed of the starting values of the weights
  bool use_sgd = false;          ///< true: stochastic gradient descent (SGD); false: Adam with beta1 = 0.9,
                                 ///< beta2 = 0.999, epsilon = 1e-8
  double momentum = 0;           ///< momentum of SGD, at least 0; Adam ignores it
  double weight_decay = 0;       ///< each step multiplies the weights by 1 - learning rate * weight_decay, apart from
                                 ///< the gradient's change (as in AdamW); biases and slopes do not decay; at least 0
  double max_gradient_norm = 0;  ///< limit of the Euclidean norm of all gradients together; larger ones are scaled
                                 ///< down to it; at least 0; 0: no limit
  double ema_decay = 0;          ///< decay of the exponential moving average (EMA) of the parameters, 0 or more and
                                 ///< below 1; in the first steps the decay is smaller; 0: no average is kept
};

/// The use of memory and of the device's command queue since the trainer was created. The memory pool allocates blocks
/// and keeps freed ones as idle blocks for reuse. A command is one piece of work for the device, such as a matrix
/// product. Commands are sent to the device in groups, the submissions.
struct TrainerStatistics {
  std::uint64_t allocated_bytes = 0,          ///< bytes that the memory pool holds now
      in_use_bytes = 0,                       ///< the part of allocated_bytes that tensors and parameters use now
      peak_bytes = 0;                         ///< largest value of allocated_bytes so far
  std::uint64_t max_idle_blocks = 0;          ///< largest number of idle blocks of one size so far; the pool keeps
                                              ///< at most 50 of each size and frees the others
  std::uint64_t max_submission_commands = 0;  ///< largest number of commands in one submission so far; the trainer
                                              ///< submits at the latest after 100 commands
};

/// A training device, the parameters of a network, and their optimiser.
///
/// A step is: make input tensors, compute a loss from them with the operations below, and call step(). The result
/// depends on the seed, the inputs and the device (its driver, or the instruction set of the CPU), and not on the
/// number of threads.
///
/// Not thread-safe. Functions throw only std::bad_alloc, when memory other than that of tensors cannot be allocated.
/// The trainer owns all tensors and parameters. Handles may outlive the trainer; an operation that gets such a handle
/// returns an empty tensor.
class WEIR_API Trainer {
 public:
  /// Creates a trainer and opens its device.
  /// Errors: invalid_argument (an option is out of its range; no device, or more than one, has that name: the text
  /// lists all devices), unsupported (there is no Vulkan here, or the driver lacks a feature), over_budget.
  static Expected<std::unique_ptr<Trainer>> create(const TrainerOptions& options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Parameters. Add all parameters before the first call of step(), save() or restore(). Their order and the seed
  // determine the starting values. If a size is below 1 or too large, or a parameter is added too late, the next step()
  // returns the error.

  /// Adds the two parameters of a linear layer or a convolution with `in` input and `out` output channels: NAME.weight
  /// [kernel * kernel * in, out] with random starting values, and NAME.bias [1, out] of zeros. For a linear layer over
  /// a picture, `in` is c * h * w and `kernel` is 1. `slope` is the negative slope of the activation that follows
  /// (0 for relu); it scales the starting values, which are normally distributed (He initialisation).
  Layer add_layer(const std::string& name, int in, int out, int kernel = 1, double slope = 0);
  /// Adds a matrix [rows, columns] of random starting values with variance 2 / ((1 + slope^2) * fan_in). `fan_in` is
  /// the number of values that one output value is a sum of.
  Parameter add_weights(const std::string& name, int rows, int columns, int fan_in, double slope = 0);
  /// Adds a parameter [1, channels] in which each value is `value`. Weight decay does not change it. For biases and
  /// slopes.
  Parameter add_filled_parameter(const std::string& name, int channels, float value);

  /// Makes a tensor of the current step from `values`, which are copied. There must be shape.count() values, stored
  /// channels-last: the value of image i, channel k, row y, column x is values[((i * h + y) * w + x) * c + k].
  Tensor input(Shape shape, std::span<const float> values);

  /// Computes the gradients of `loss` (one value), changes the parameters with the learning rate `rate` (at least 0),
  /// and ends the step: its tensors cannot be used any more. read() still returns the inputs, the loss and the tensors
  /// given to keep(). Returns nothing on success. The device may still be at work when this returns.
  /// Errors: the first error of all operations since the last step: invalid_argument, over_budget, unsupported (the
  /// device is lost).
  std::optional<Problem> step(Tensor loss, double rate);
  /// Ends the step without changing the parameters. Use it after computations whose results are only read, such as a
  /// test of the network. read() can still return every tensor of the step until the next tensor is made.
  void discard_step();
  /// Marks a tensor of this step so that read() can return its values after step(), until the next tensor is made.
  void keep(Tensor tensor);
  /// Waits for the device and returns the values of a tensor, channels-last, in the same order as input() takes them.
  /// Before step(), any tensor of the step can be read. After step(), and until the next tensor is made, only the
  /// inputs, the loss and the tensors given to keep() can be read.
  /// Errors: invalid_argument (the tensor cannot be used, or its values are gone), the first error of the step, errors
  /// of the device.
  Expected<std::vector<float>> read(Tensor tensor);
  /// Exchanges the values of all parameters with their exponential moving averages: call it before a test of the
  /// network and once more before training goes on. Does nothing if TrainerOptions::ema_decay is 0, or before the first
  /// call of step(), save() or restore(), which creates the averages.
  void swap_ema_parameters();

  /// Waits until the device has executed everything recorded so far. One call per epoch is enough.
  /// Errors: those of the device.
  std::optional<Problem> sync();
  /// Gives idle memory back to the system or the driver. May be called at any time and repeatedly.
  void cleanup();
  /// Returns the current statistics.
  TrainerStatistics statistics() const;

  /// Writes a checkpoint: parameters, optimiser state, moving average, and `position`, a number of the caller's own,
  /// for instance the number of steps made. The file appears complete or not at all.
  /// Errors: io; over_budget (if no step was made yet: memory for the optimiser's state); those of the device.
  std::optional<Problem> save(const std::string& path, std::uint64_t position);
  /// Reads a checkpoint into a trainer that has the same parameters, and returns the `position` given to save().
  /// Training continues from the state in the checkpoint, on any device; on the same device and driver the results are
  /// bit-identical to those of a training that was not interrupted.
  /// Errors: io; corrupt (the file is damaged, or a checkpoint of other parameters; nothing has changed); unsupported
  /// (another version of weir wrote the file); over_budget; those of the device.
  Expected<std::uint64_t> restore(const std::string& path);

 private:
  friend struct Access;
  struct State;
  explicit Trainer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// Operations. Each records the computation of a new tensor of the current step and returns a handle to it. Their errors
// are returned by Trainer::step(): invalid_argument (a shape does not fit, or a tensor cannot be used), over_budget.

/// Returns the matrix product [rows, columns] of a [rows, inner] and b [inner, columns].
WEIR_API Tensor matmul(Tensor a, Tensor b);
/// Returns the transposed matrix [columns, rows] of a [rows, columns].
WEIR_API Tensor mat_transpose(Tensor a);
/// Adds bias [1, c] to every pixel of x [n, c, h, w].
WEIR_API Tensor add_bias(Tensor x, Parameter bias);
/// Returns x [n, in] * layer.weights [in, out] + layer.bias: [n, out]. A picture x [n, c, h, w] counts as a row of
/// in = h * w * c values in memory order (channels-last): weight row (y * w + x) * c + k belongs to channel k of pixel
/// (y, x).
WEIR_API Tensor linear(Tensor x, Layer layer);
/// Returns a + b, value by value; the shapes are equal.
WEIR_API Tensor add(Tensor a, Tensor b);
/// Returns a * b, value by value; the shapes are equal.
WEIR_API Tensor mul(Tensor a, Tensor b);
/// Returns max(x, 0).
WEIR_API Tensor relu(Tensor x);
/// Returns x where it is positive, and slope * x elsewhere.
WEIR_API Tensor leaky_relu(Tensor x, float slope);
/// Like leaky_relu(), with one slope for each channel: slopes [1, c].
WEIR_API Tensor prelu(Tensor x, Parameter slopes);
/// Returns 1 / (1 + exp(-x)).
WEIR_API Tensor sigmoid(Tensor x);
/// Returns the hyperbolic tangent of x.
WEIR_API Tensor tanh(Tensor x);
/// Convolves (cross-correlates) x [n, in, h, w] with layer.weights [kernel * kernel * in, out], whose row
/// (y * kernel + x) * in + k belongs to kernel position (y, x) and input channel k, and adds layer.bias [1, out]. Each
/// side of the result is (side + 2 * padding - kernel) / stride + 1.
WEIR_API Tensor conv2d(Tensor x, Layer layer, Window window);
/// Transposed convolution of x [n, in, h, w]: each input pixel, multiplied by the kernel, is added to the result.
/// `weights` is a matrix [kernel * kernel * out, in]; its row (y * kernel + x) * out + k belongs to position (y, x) of
/// the kernel and output channel k. `bias` is [1, out]. window.padding rows and columns are removed from each side of
/// the result, so that each side is (side - 1) * stride + kernel - 2 * padding.
WEIR_API Tensor conv_transpose2d(Tensor x, Parameter weights, Parameter bias, Window window);
/// Returns the largest value in each window, channel by channel; window.padding must be 0. Each side of the result is
/// (side - kernel) / stride + 1.
WEIR_API Tensor max_pool(Tensor x, Window window);
/// Rearranges x [n, c * factor * factor, h, w] to [n, c, h * factor, w * factor]: input channel
/// (k * factor + dy) * factor + dx becomes channel k of pixel (y * factor + dy, x * factor + dx).
WEIR_API Tensor pixel_shuffle(Tensor x, int factor);
/// Joins tensors of equal n, h and w along their channels. Returns an empty tensor if `parts` is empty.
WEIR_API Tensor concat(std::span<const Tensor> parts);

// Losses. Each returns one value, of shape [1]. No gradient is computed for a target.

/// Returns the mean of all values.
WEIR_API Tensor mean(Tensor x);
/// Returns the mean of the squared differences; the shapes are equal.
WEIR_API Tensor mse(Tensor prediction, Tensor target);
/// Returns the mean of the absolute differences; the shapes are equal.
WEIR_API Tensor l1(Tensor prediction, Tensor target);
/// Returns the mean of sqrt(difference^2 + epsilon^2); the shapes are equal.
WEIR_API Tensor charbonnier(Tensor prediction, Tensor target, float epsilon = 1e-3F);
/// Returns the mean cross entropy of softmax(scores) and target over all rows (pixels); the channels are the classes.
/// The shapes are equal, usually [rows, classes]. A row of `target` has the probability of each class; the
/// probabilities sum to 1.
WEIR_API Tensor cross_entropy(Tensor scores, Tensor target);

}  // namespace weir::training
