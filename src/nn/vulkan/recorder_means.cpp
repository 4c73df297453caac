#include "nn/vulkan/recorder.hpp"

#include <array>
#include <variant>

#include "nn/pass_walk.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

using compute::vulkan::Place;

Status Recorder::begin_mean() { return stream_.fill(parameter_slice(parameters_.sums), 0); }

Status Recorder::add_to_mean(const Tile& tile, const Statistic& statistic, Rect rect) {
  const int t = statistic.source.tensor;
  const Rect& held = region(tile, t);
  const int vectors = vectors_of(tensor(t));
  const Slice sums = parameter_slice(parameters_.sums);
  Dispatch add;
  add.kernel = {kernel("mean_add", t, -1), constants({vectors})};
  add.source(0, tensor_slice(tile, t)).change(Place::residual, sums);
  add.constants(RectPush{pair(rect.left - held.left, rect.top - held.top), word(held.width()), size_of(rect)});
  add.groups = {groups(rect.width(), 64), groups(rect.height(), 16), word(vectors)};
  if (auto recorded = stream_.dispatch(add); !recorded) return recorded;
  Dispatch carry;
  carry.kernel = {"mean_carry_ff", constants({vectors, 0})};
  carry.change(Place::residual, sums).constants(1.0F);
  carry.groups = {groups(vectors, 64), 1, 1};
  return stream_.dispatch(carry);
}

Status Recorder::finish_mean(const Statistic& statistic) {
  const int vectors = (statistic.channels + 3) / 4;
  const Extent extent = extent_[at(statistic.source.tensor)];
  Dispatch finish;
  finish.kernel = {"mean_carry_ff", constants({vectors, 1})};
  finish.change(Place::residual, parameter_slice(parameters_.sums))
      .write(Place::target, parameter_slice(parameters_.vectors[at(statistic.blob)]))
      .constants(static_cast<float>(static_cast<double>(extent.height) * extent.width));
  finish.groups = {groups(vectors, 64), 1, 1};
  if (auto recorded = stream_.dispatch(finish); !recorded) return recorded;
  for (const std::size_t v : vector_ops_after(program_, statistic.blob)) {
    if (auto recorded = vector_op(v); !recorded) return recorded;
  }
  return ok();
}

Status Recorder::vector_op(std::size_t number) {
  const VectorOp& op = program_.vector_ops[number];
  const Operation& operation = graph_.layers[at(op.layer)].operation;
  Activation activation;
  int in = 0;
  const int out = graph_.blobs[at(op.output)].channels;
  Dispatch dispatch;
  if (const auto* product = std::get_if<InnerProduct>(&operation)) {
    activation = product->activation;
    in = product->in_channels;
    dispatch.read(Place::weights, weight_slice(weights_.vectors[number].weights))
        .read(Place::parameters, weight_slice(weights_.vectors[number].parameters));
  } else if (const auto* pointwise = std::get_if<Pointwise>(&operation)) {
    activation = pointwise->activation;
  }
  dispatch.kernel = {"inner_product_ff", constants({in, out, static_cast<int>(activation.kind)})};
  dispatch.source(0, parameter_slice(parameters_.vectors[at(op.input)]))
      .write(Place::target, parameter_slice(parameters_.vectors[at(op.output)]))
      .constants(std::array{activation.a, activation.b});
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
