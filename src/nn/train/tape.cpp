#include "nn/train/tape.hpp"

#include <fmt/format.h>

#include <cassert>
#include <cstdint>
#include <utility>

namespace weir::nn::train {

std::string to_text(const Shape& shape) { return fmt::format("[{}, {}, {}, {}]", shape.n, shape.c, shape.h, shape.w); }

bool is_possible(const Shape& shape) {
  std::int64_t count = 1;
  for (const int extent : {shape.n, shape.c, shape.h, shape.w}) {
    if (extent < 1 || extent > kMostValues) return false;
    count *= extent;
    if (count > kMostValues) return false;
  }
  return true;
}

Error misfit(std::string_view operation, const Tensor& a, const Tensor& b) {
  return {Errc::invalid_argument,
          fmt::format("{}: {} and {} do not fit", operation, to_text(a.shape()), to_text(b.shape()))};
}

Tensor Tape::fail(Error error) {
  if (status_) status_ = std::move(error);
  return {this, -1, {}};
}

Tensor Tape::add(Shape shape, bool wanted) {
  if (!status_) return {this, -1, {}};
  nodes_.emplace_back();
  nodes_.back().wanted = wanted;
  return {this, static_cast<int>(nodes_.size()) - 1, shape};
}

Tensor Tape::make(Shape shape, std::initializer_list<Tensor> inputs, Backward backward) {
  if (!status_) return fail(status_.error());
  if (!is_possible(shape)) {
    return fail(
        {Errc::invalid_argument, fmt::format("{} is no tensor: every extent is at least 1, and all values are at "
                                             "most {}",
                                             to_text(shape), kMostValues)});
  }
  bool wanted = false;
  for (const Tensor& input : inputs) wanted = wanted || node(input).wanted;
  auto storage = device_->acquire(shape.count());
  if (!storage) return fail(storage.error());
  const Tensor out = add(shape, wanted);
  node(out).value = *std::move(storage);
  if (wanted) node(out).backward = std::move(backward);
  return out;
}

Tensor Tape::input(Shape shape, std::span<const float> values) {
  if (is_possible(shape) && shape.count() != values.size()) {
    return fail({Errc::invalid_argument, fmt::format("input {}: {} values", to_text(shape), values.size())});
  }
  const Tensor tensor = make(shape, {}, {});
  if (!status_) return tensor;
  if (auto done = device_->write(value(tensor), values); !done) return fail(done.error());
  node(tensor).kept = true;
  return tensor;
}

Tensor Tape::variable(Shape shape, std::span<const float> values) {
  const Tensor tensor = input(shape, values);
  if (status_) node(tensor).wanted = true;
  return tensor;
}

Tensor Tape::parameter(Parameter& parameter) {
  if (!parameter.value) return fail({Errc::invalid_argument, "parameter " + parameter.name + " has no memory"});
  const Tensor tensor = add(parameter.shape, true);
  if (status_) node(tensor).parameter = &parameter;
  return tensor;
}

void Tape::keep(Tensor tensor) {
  if (status_) node(tensor).kept = true;
}

void Tape::record(const Command& command) {
  if (!status_) return;
  if (auto done = device_->record(command); !done) (void)fail(done.error());
}

Operand Tape::value(Tensor tensor) const {
  if (!status_) return {};
  const Node& n = node(tensor);
  return n.parameter != nullptr ? n.parameter->value.operand() : n.value.operand();
}

Operand Tape::gradient(Tensor out) const { return status_ ? node(out).gradient.operand() : Operand{}; }

Tape::Gradient Tape::want(Tensor in) {
  if (!status_ || !node(in).wanted) return {};
  Node& n = node(in);
  if (n.parameter != nullptr) {
    return {n.parameter->gradient.operand(), std::exchange(n.parameter->has_gradient, true)};
  }
  if (!n.gradient) {
    auto storage = device_->acquire(in.shape_.count());
    if (!storage) {
      (void)fail(storage.error());
      return {};
    }
    n.gradient = *std::move(storage);
  }
  return {n.gradient.operand(), std::exchange(n.has_gradient, true)};
}

Status Tape::backward(Tensor loss) {
  if (!status_) return status_;
  assert(loss.tape_ == this);
  if (loss.shape_.count() != 1) {
    (void)fail({Errc::invalid_argument, fmt::format("backward: the loss is {}, not one value", to_text(loss.shape_))});
    return status_;
  }
  node(loss).kept = true;
  if (const Gradient start = want(loss)) record(Fill{start.operand, 1});
  for (int i = loss.index_; i >= 0 && status_; --i) {
    Node& n = nodes_[static_cast<std::size_t>(i)];
    if (!n.backward) continue;
    if (n.has_gradient) {
      n.backward(*this, Tensor{this, i, {}});
    }
    n.backward = nullptr;
    n.gradient = Storage{};
    if (!n.kept) n.value = Storage{};
  }
  return status_;
}

Result<std::vector<float>> Tape::read_values(Operand operand) {
  if (!operand) return Error{Errc::invalid_argument, "read: the value was given back by backward(); keep() it before"};
  std::vector<float> values(operand.count);
  if (auto done = device_->read(operand, values); !done) return done.error();
  return values;
}

Result<std::vector<float>> Tape::read(Tensor tensor) {
  if (!status_) return status_.error();
  return read_values(value(tensor));
}

Result<std::vector<float>> Tape::read_gradient(Tensor variable) {
  if (!status_) return status_.error();
  return read_values(gradient(variable));
}

void Tape::reset() {
  nodes_.clear();
  status_ = ok();
}

}  // namespace weir::nn::train
