#include "nn/train/tape.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cstdint>
#include <utility>

namespace weir::nn::train {

std::string to_text(const Shape& shape) { return fmt::format("[{}, {}, {}, {}]", shape.n, shape.c, shape.h, shape.w); }

bool is_valid(const Shape& shape) {
  std::int64_t count = 1;
  for (const int extent : {shape.n, shape.c, shape.h, shape.w}) {
    if (extent < 1 || extent > kMaxTensorValues) return false;
    count *= extent;
    if (count > kMaxTensorValues) return false;
  }
  return true;
}

Error shape_mismatch_error(std::string_view operation, const TapeTensor& a, const TapeTensor& b) {
  return {Errc::invalid_argument,
          fmt::format("{}: {} and {} do not fit", operation, to_text(a.shape()), to_text(b.shape()))};
}

TapeTensor Tape::fail(Error error) {
  if (status_) status_ = std::move(error);
  return {this, -1, {}};
}

TapeTensor Tape::add_node(Shape shape, bool needs_gradient) {
  if (!status_) return {this, -1, {}};
  nodes_.emplace_back();
  nodes_.back().needs_gradient = needs_gradient;
  return {this, static_cast<int>(nodes_.size()) - 1, shape};
}

TapeTensor Tape::make_output(Shape shape, std::initializer_list<TapeTensor> inputs, Backward backward) {
  if (!status_) return fail(status_.error());
  if (!is_valid(shape)) {
    return fail(
        {Errc::invalid_argument, fmt::format("{} is no valid shape: each extent must be at least 1, and the number "
                                             "of values at most {}",
                                             to_text(shape), kMaxTensorValues)});
  }
  bool needs_gradient = false;
  for (const TapeTensor& input : inputs) needs_gradient = needs_gradient || node(input).needs_gradient;
  auto array = device_->acquire(shape.count());
  if (!array) return fail(array.error());
  const TapeTensor out = add_node(shape, needs_gradient);
  node(out).value = *std::move(array);
  if (needs_gradient) node(out).backward = std::move(backward);
  return out;
}

TapeTensor Tape::input(Shape shape, std::span<const float> values) {
  if (is_valid(shape) && shape.count() != values.size()) {
    return fail({Errc::invalid_argument,
                 fmt::format("input {}: the shape does not fit {} values", to_text(shape), values.size())});
  }
  const TapeTensor tensor = make_output(shape, {}, {});
  if (!status_) return tensor;
  if (auto done = device_->write(value(tensor), values); !done) return fail(done.error());
  node(tensor).kept = true;
  return tensor;
}

TapeTensor Tape::variable(Shape shape, std::span<const float> values) {
  const TapeTensor tensor = input(shape, values);
  if (status_) node(tensor).needs_gradient = true;
  return tensor;
}

TapeTensor Tape::parameter(Parameter& parameter) {
  if (!parameter.value) return fail({Errc::invalid_argument, "parameter " + parameter.name + " has no memory"});
  const TapeTensor tensor = add_node(parameter.shape, /*needs_gradient=*/true);
  if (status_) node(tensor).parameter = &parameter;
  return tensor;
}

void Tape::keep(TapeTensor tensor) {
  if (status_) node(tensor).kept = true;
}

void Tape::record(const Command& command) {
  if (!status_) return;
  if (auto done = device_->record(command); !done) (void)fail(done.error());
}

Operand Tape::value(TapeTensor tensor) const {
  if (!status_) return {};
  const Node& n = node(tensor);
  return n.parameter != nullptr ? n.parameter->value.operand() : n.value.operand();
}

Operand Tape::gradient(TapeTensor out) const { return status_ ? node(out).gradient.operand() : Operand{}; }

Tape::GradientTarget Tape::gradient_target(TapeTensor in) {
  if (!status_ || !node(in).needs_gradient) return {};
  Node& n = node(in);
  if (n.parameter != nullptr) {
    return {n.parameter->gradient.operand(), std::exchange(n.parameter->has_gradient, true)};
  }
  if (!n.gradient) {
    auto array = device_->acquire(in.shape_.count());
    if (!array) {
      (void)fail(array.error());
      return {};
    }
    n.gradient = *std::move(array);
  }
  return {n.gradient.operand(), std::exchange(n.has_gradient, true)};
}

Status Tape::backward(TapeTensor loss) {
  if (!status_) return status_;
  assert(loss.tape_ == this);
  if (loss.shape_.count() != 1) {
    (void)fail({Errc::invalid_argument, fmt::format("backward: the loss is {}, not one value", to_text(loss.shape_))});
    return status_;
  }
  node(loss).kept = true;
  // the gradient of the loss with respect to itself
  if (const GradientTarget start = gradient_target(loss)) record(FillCommand{start.operand, 1});
  // From the last result to the first: when the backward function of a tensor is called, all operations that use the
  // tensor have already added to its gradient.
  for (int i = loss.index_; i >= 0 && status_; --i) {
    Node& n = nodes_[static_cast<std::size_t>(i)];
    if (!n.backward) continue;
    if (n.has_gradient) {
      n.backward(*this, TapeTensor{this, i, {}});  // only the index of the result is needed, not its shape
    }
    n.backward = nullptr;
    n.gradient = DeviceArray{};
    if (!n.kept) n.value = DeviceArray{};
  }
  return status_;
}

Result<std::vector<float>> Tape::read_values(Operand operand) {
  if (!operand)
    return Error{Errc::invalid_argument,
                 "read: there are no values: backward() freed them (use keep()), or there is no gradient"};
  std::vector<float> values(operand.count);
  if (auto done = device_->read(operand, values); !done) return done.error();
  return values;
}

Result<std::vector<float>> Tape::read(TapeTensor tensor) {
  if (!status_) return status_.error();
  return read_values(value(tensor));
}

Result<std::vector<float>> Tape::read_gradient(TapeTensor variable) {
  if (!status_) return status_.error();
  return read_values(gradient(variable));
}

void Tape::reset() {
  nodes_.clear();
  status_ = ok();
}

}  // namespace weir::nn::train
