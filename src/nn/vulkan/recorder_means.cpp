// Records the means of channels over the whole picture, and the ops on vectors that depend on them.

#include "nn/vulkan/recorder.hpp"

#include <array>
#include <variant>

#include "nn/multi_pass_run.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

using compute::vulkan::BindingSlot;

// The kernels mean_add.comp and mean_carry.comp have the sums in the slot BindingSlot::residual.

Status Recorder::begin_mean() { return stream_.fill(table_slice(table_layout_.sums), 0); }

Status Recorder::add_to_mean(const Tile& tile, const ChannelMeans& mean, Rect rect) {
  const int source = mean.source.tensor;
  const Rect& source_region = region(tile, source);
  const int vectors = vector_count(tensor(source));
  const Slice sums = table_slice(table_layout_.sums);
  Dispatch add;
  add.kernel = {kernel_name("mean_add", source, -1), to_words({vectors})};
  add.source(0, tensor_slice(tile, source)).read_write(BindingSlot::residual, sums);
  add.push_constants(RectPush{pack_pair(rect.left - source_region.left, rect.top - source_region.top),
                              to_word(source_region.width()), pack_size(rect)});
  // A workgroup of mean_add.comp adds 64 x 16 pixels.
  add.groups = {group_count(rect.width(), 64), group_count(rect.height(), 16), to_word(vectors)};
  if (auto recorded = stream_.dispatch(add); !recorded) return recorded;
  Dispatch carry;
  carry.kernel = {"mean_carry_ff", to_words({vectors, 0})};            // 0: does not compute the mean yet
  carry.read_write(BindingSlot::residual, sums).push_constants(1.0F);  // the number of pixels, not used yet
  carry.groups = {group_count(vectors, 64), 1, 1};
  return stream_.dispatch(carry);
}

Status Recorder::finish_mean(const ChannelMeans& mean) {
  const int vectors = (mean.channels + 3) / 4;
  const Extent extent = extents_[to_index(mean.source.tensor)];
  Dispatch finish;
  finish.kernel = {"mean_carry_ff", to_words({vectors, 1})};  // 1: computes the mean
  finish.read_write(BindingSlot::residual, table_slice(table_layout_.sums))
      .write(BindingSlot::target, table_slice(table_layout_.vectors[to_index(mean.blob)]))
      .push_constants(static_cast<float>(static_cast<double>(extent.height) * extent.width));
  finish.groups = {group_count(vectors, 64), 1, 1};
  if (auto recorded = stream_.dispatch(finish); !recorded) return recorded;
  for (const std::size_t op_index : find_dependent_vector_ops(program_, mean.blob)) {
    if (auto recorded = record_vector_op(op_index); !recorded) return recorded;
  }
  return ok();
}

Status Recorder::record_vector_op(std::size_t op_index) {
  const VectorOp& op = program_.vector_ops[op_index];
  const Operation& operation = graph_.layers[to_index(op.layer)].operation;
  Activation activation;
  int in = 0;
  const int out = graph_.blobs[to_index(op.output)].channels;
  Dispatch dispatch;
  if (const auto* product = std::get_if<InnerProduct>(&operation)) {
    activation = product->activation;
    in = product->in_channels;
    dispatch.read(BindingSlot::weights, weight_slice(weights_.vector_ops[op_index].weights))
        .read(BindingSlot::parameters, weight_slice(weights_.vector_ops[op_index].parameters));
  } else if (const auto* pointwise = std::get_if<Pointwise>(&operation)) {
    activation = pointwise->activation;
  }
  dispatch.kernel = {"inner_product_ff", to_words({in, out, static_cast<int>(activation.kind)})};
  dispatch.source(0, table_slice(table_layout_.vectors[to_index(op.input)]))
      .write(BindingSlot::target, table_slice(table_layout_.vectors[to_index(op.output)]))
      .push_constants(std::array{activation.a, activation.b});
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
