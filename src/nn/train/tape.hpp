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

/// [n, c, h, w]; in memory the channels of a pixel lie side by side ([n, h, w, c]), for then one kernel (ProductJob) does
/// all three passes of a convolution. A matrix [rows, columns] is [n, c, 1, 1].
struct Shape {
  int n = 0, c = 1, h = 1, w = 1;
  std::size_t rows() const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(h) * static_cast<std::size_t>(w);
  }
  std::size_t count() const { return rows() * static_cast<std::size_t>(c); }
  bool operator==(const Shape&) const = default;
};
std::string to_text(const Shape& shape);  ///< "[8, 3, 48, 48]"
/// The most values of a tensor: sums of two extents, and offsets, are within int.
inline constexpr int kMaxTensorValues = (1 << 30) - 1;
/// Every extent at least 1, and no more than kMostValues values.
bool is_valid(const Shape& shape);

/// What is learnt: values, and the gradient of the last backward(). Weights of a convolution are a matrix
/// [kernel * kernel * in, out], row (y * kernel + x) * in + channel.
struct Parameter {
  std::string name;
  Shape shape;
  DeviceArray value, gradient;
  bool has_gradient = false;     ///< since the last step of the optimiser
  bool has_weight_decay = true;  ///< biases and slopes do not
};

class Tape;

/// A value on a tape. After an error the tape makes empty ones, from which everything may be computed, to no effect.
class TapeTensor {
 public:
  TapeTensor() = default;
  TapeTensor(Tape* tape, int index, Shape shape) : tape_{tape}, index_{index}, shape_{shape} {}
  const Shape& shape() const { return shape_; }
  Tape* tape() const { return tape_; }
  int index() const { return index_; }  ///< on the tape; below zero: empty

 private:
  friend class Tape;
  Tape* tape_ = nullptr;
  int index_ = -1;
  Shape shape_;
};

/// Remembers what was computed, to go through it backwards. The first error (a shape that does not fit, over_budget) is
/// kept and returned by backward() and status(); after it nothing is computed. Not thread-safe. The device and the
/// parameters must outlive it.
class Tape {
 public:
  explicit Tape(TrainingDevice& device) : device_{&device} {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// `values`: channels of a pixel side by side.
  TapeTensor input(Shape shape, std::span<const float> values);
  /// The same, with a gradient that read_gradient() gives.
  TapeTensor variable(Shape shape, std::span<const float> values);
  TapeTensor parameter(Parameter& parameter);

  /// Adds the gradient of `loss` [1] to the parameters'. Values and gradients on the way are given back, so that afterwards
  /// only inputs, variables and values that were kept can be read.
  Status backward(TapeTensor loss);
  void keep(TapeTensor tensor);
  /// Errors: the tape's first; those of the device; invalid_argument if it was given back.
  Result<std::vector<float>> read(TapeTensor tensor);
  Result<std::vector<float>> read_gradient(TapeTensor variable);

  /// Forgets everything, errors too; memory goes back to the pool.
  void reset();
  const Status& status() const { return status_; }
  TrainingDevice& device() { return *device_; }

  // What operations are made of.
  /// The target of a gradient: the first write, then additions.
  struct GradientTarget {
    Operand operand;
    bool accumulate = false;
    explicit operator bool() const { return static_cast<bool>(operand); }
  };
  using Backward = std::function<void(Tape&, TapeTensor out)>;
  TapeTensor make_output(Shape shape, std::initializer_list<TapeTensor> inputs, Backward backward);
  TapeTensor fail(Error error);
  void record(const Command& command);
  Operand value(TapeTensor tensor) const;
  Operand gradient(TapeTensor out) const;
  /// Empty if none is wanted.
  GradientTarget gradient_target(TapeTensor in);

 private:
  struct Node {
    DeviceArray value, gradient;
    Parameter* parameter = nullptr;
    Backward backward;
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

/// "OPERATION: [..] and [..] do not fit"
Error shape_mismatch_error(std::string_view operation, const TapeTensor& a, const TapeTensor& b);

}  // namespace weir::nn::train
