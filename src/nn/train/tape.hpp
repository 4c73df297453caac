#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "nn/train/training_device.hpp"

namespace weir::nn::train {

/// The extents of a tensor, written [n, c, h, w]: pictures, channels, height, width. A matrix [rows, columns] has the
/// shape [rows, columns, 1, 1]. In memory the values are channels-last ([n, h, w, c]), because then one kernel
/// (compute::ProductJob) computes a convolution and both of its gradients.
struct Shape {
  int n = 0, c = 1, h = 1, w = 1;
  /// Returns the number of pixels of all pictures, or the number of rows of a matrix.
  std::size_t rows() const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(h) * static_cast<std::size_t>(w);
  }
  /// Returns the number of values.
  std::size_t count() const { return rows() * static_cast<std::size_t>(c); }
  bool operator==(const Shape&) const = default;
};
/// Returns the shape as a text like "[8, 3, 48, 48]".
std::string to_text(const Shape& shape);
/// The largest number of values of a tensor. The limit ensures that offsets and the sum of two extents fit into int.
inline constexpr int kMaxTensorValues = (1 << 30) - 1;
/// Returns true if every extent is at least 1 and there are at most kMaxTensorValues values.
bool is_valid(const Shape& shape);

/// Values that training changes (weights, biases, slopes), and the gradient of the loss with respect to them. The
/// weights of a convolution are a matrix [kernel * kernel * in, out]; row (y * kernel + x) * in + k belongs to kernel
/// position (y, x) and input channel k. Those of a transposed convolution are [kernel * kernel * out, in], with output
/// channel k in this formula.
struct Parameter {
  std::string name;
  Shape shape;
  DeviceArray value, gradient;
  bool has_gradient = false;     ///< true if backward() computed `gradient` after the last step of the optimiser
  bool has_weight_decay = true;  ///< false for biases and slopes
};

class Tape;

/// A handle to a tensor of a tape. After an error the tape makes empty tensors; operations on empty tensors have no
/// effect.
class TapeTensor {
 public:
  TapeTensor() = default;
  TapeTensor(Tape* tape, int index, Shape shape) : tape_{tape}, index_{index}, shape_{shape} {}
  const Shape& shape() const { return shape_; }
  Tape* tape() const { return tape_; }
  /// Returns the index of the tensor on its tape; negative for an empty tensor.
  int index() const { return index_; }

 private:
  friend class Tape;
  Tape* tape_ = nullptr;
  int index_ = -1;
  Shape shape_;
};

/// Records the operations of a computation, so that backward() can compute the gradients in reverse order. The tape
/// keeps the first error of an operation (a shape that does not fit, an error of the device): status(), backward() and
/// the read functions return this error, and nothing is computed after it. Not thread-safe. The device and the
/// parameters must outlive the tape.
class Tape {
 public:
  explicit Tape(TrainingDevice& device) : device_{&device} {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Makes a tensor from `values`, which are channels-last: [n, h, w, c]. Errors (kept by the tape): invalid_argument
  /// if the shape is not valid or has another number of values; those of the device.
  TapeTensor input(Shape shape, std::span<const float> values);
  /// Like input(), but backward() also computes a gradient, which read_gradient() returns.
  TapeTensor variable(Shape shape, std::span<const float> values);
  /// Makes a tensor that uses the memory of the parameter. Errors (kept by the tape): invalid_argument if the parameter
  /// has no memory.
  TapeTensor parameter(Parameter& parameter);

  /// Records the computation of the gradients of `loss` [1] with respect to all variables and parameters. The gradient
  /// of a parameter is added to its gradient of earlier calls since the last step of the optimiser. Frees intermediate
  /// values: afterwards, read() is certain to work only for the loss, inputs, variables, parameters and the tensors
  /// given to keep(). Call it once before reset(). Errors: the first error of the tape; invalid_argument if the loss is
  /// not one value; those of the device.
  Status backward(TapeTensor loss);
  /// Marks a tensor so that backward() does not free its value.
  void keep(TapeTensor tensor);
  // Wait for the device and return the values of a tensor, or the gradient of a variable, channels-last.
  // Errors: the first error of the tape; those of the device; invalid_argument if backward() freed the values, or if
  // there is no gradient.
  Result<std::vector<float>> read(TapeTensor tensor);
  Result<std::vector<float>> read_gradient(TapeTensor variable);

  /// Removes all tensors and the error. The memory of the tensors goes back to the device's pool.
  void reset();
  const Status& status() const { return status_; }
  TrainingDevice& device() { return *device_; }

  // The following functions are used by the operations (ops.hpp).

  /// The memory that a command writes a gradient to. The first command overwrites it, later commands add to it
  /// (`accumulate`). Empty: no gradient is needed.
  struct GradientTarget {
    Operand operand;
    bool accumulate = false;
    explicit operator bool() const { return static_cast<bool>(operand); }
  };
  /// Records the commands that compute the gradients of an operation's inputs from the gradient of its result `out`.
  using Backward = std::function<void(Tape&, TapeTensor out)>;
  /// Makes the result tensor of an operation and allocates its memory. If an input needs a gradient, backward() of the
  /// tape calls `backward`.
  TapeTensor make_output(Shape shape, std::initializer_list<TapeTensor> inputs, Backward backward);
  /// Keeps the error if it is the first one. Returns an empty tensor.
  TapeTensor fail(Error error);
  /// Records a command on the device. After an error, does nothing.
  void record(const Command& command);
  // Return the memory of a tensor's values and of its gradient. Both are empty after an error; the gradient also if
  // none was computed.
  Operand value(TapeTensor tensor) const;
  Operand gradient(TapeTensor out) const;
  /// Returns where a backward function must write the gradient of the operation's input `in`, and allocates the memory
  /// at the first call. Empty if `in` needs no gradient, or after an error. The caller must record the command.
  GradientTarget gradient_target(TapeTensor in);

 private:
  struct Node {
    DeviceArray value, gradient;
    Parameter* parameter = nullptr;
    Backward backward;
    // has_gradient: a command that writes `gradient` is recorded; kept: backward() does not free `value`
    bool needs_gradient = false, has_gradient = false, kept = false;
  };
  TapeTensor add_node(Shape shape, bool needs_gradient);
  Result<std::vector<float>> read_values(Operand operand);
  Node& node(TapeTensor tensor) { return nodes_[static_cast<std::size_t>(tensor.index_)]; }
  const Node& node(TapeTensor tensor) const { return nodes_[static_cast<std::size_t>(tensor.index_)]; }

  TrainingDevice* device_;
  std::vector<Node> nodes_;
  Status status_ = ok();
};

/// Returns an invalid_argument error "OPERATION: SHAPE and SHAPE do not fit".
Error shape_mismatch_error(std::string_view operation, const TapeTensor& a, const TapeTensor& b);

}  // namespace weir::nn::train
