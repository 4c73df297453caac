#include "nn/vulkan/recorder.hpp"

#include <cassert>
#include <cstring>
#include <span>
#include <variant>

#include <fmt/format.h>

#include "compute/vulkan/shaders.hpp"
#include "nn/op_traits.hpp"
#include "nn/taps.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::BindingSlot;

// A workgroup of the kernels that this file runs computes 8x8 pixels of one vector of four channels.

/// The push constants of pixel_shuffle.comp, where the fields are explained.
struct ShufflePush {
  std::uint32_t offset = 0, width = 0, phase = 0, target_extent = 0, base_offset = 0, base_width = 0;
};
/// The push constants of interp.comp, where the fields are explained.
struct InterpPush {
  std::uint32_t origin_x = 0, origin_y = 0, columns = 0;
  std::int32_t source_x = 0, source_y = 0;
  std::uint32_t source_width = 0;
  std::int32_t whole_width = 0, whole_height = 0;
  std::uint32_t target_extent = 0;
};

}  // namespace

std::string_view Recorder::kernel_name(std::string_view name, int from, int to) const {
  const auto letter = [&](int t) { return half_ && t >= 0 && !tensor(t).planar ? 'h' : 'f'; };
  const auto* shader = compute::vulkan::find_shader(fmt::format("{}_{}{}", name, letter(from), letter(to)));
  return shader != nullptr ? shader->name : std::string_view{};
}

compute::vulkan::Slice Recorder::tensor_slice(const Tile& tile, int t) const {
  const Rect& rect = region(tile, t);
  const Bytes size = pixel_bytes(tensor(t), half_) * static_cast<std::uint64_t>(rect.height()) *
                     static_cast<std::uint64_t>(rect.width());
  return {memory_.arena.buffer, memory_.arena.offset + tile.offsets[to_index(t)], size.count()};
}
compute::vulkan::Slice Recorder::weight_slice(BufferRange range) const {
  return {memory_.weights.buffer, memory_.weights.offset + range.offset, range.size};
}
compute::vulkan::Slice Recorder::table_slice(BufferRange range) const {
  return {memory_.picture_tables.buffer, memory_.picture_tables.offset + range.offset, range.size};
}

Status Recorder::record_tile(const Tile& tile, Slice input, bool samples, bool means) {
  for (std::size_t o = 0; o < program_.ops.size(); ++o) {
    const Op& op = program_.ops[o];
    if (region(tile, op.output).empty()) continue;
    auto recorded = op.kind == OpKind::input ? record_input(tile, op.output, input, samples)
                                             : record_op(tile, op, static_cast<int>(o));
    if (!recorded) return recorded;
    for (const ChannelMeans& mean : program_.means) {
      if (!means || mean.source.tensor != op.output) continue;
      if (auto begun = begin_mean(); !begun) return begun;
      if (auto added = add_to_mean(tile, mean, full_rect(extents_[to_index(op.output)])); !added) return added;
      if (auto finished = finish_mean(mean); !finished) return finished;
    }
  }
  return ok();
}

Status Recorder::record_op(const Tile& tile, const Op& op, int op_index) {
  if (op.kind.traits->device_calls != nullptr) return record_calls(tile, op);
  if (op.kind == OpKind::combine) return record_combine(tile, op);
  if (op.kind == OpKind::shuffle) return record_shuffle(tile, op, op_index);
  if (op.kind == OpKind::resize) return record_resize(tile, op, op_index);
  const bool transposed = std::holds_alternative<Deconvolution>(graph_.layers[to_index(op.layer)].operation);
  return op.kind == OpKind::patch && transposed ? record_deconvolution(tile, op, op_index)
                                                : record_convolution(tile, op, op_index);
}

Status Recorder::record_calls(const Tile& tile, const Op& op) {
  DeviceOutput output{region(tile, op.output), extents_[to_index(op.output)], tensor(op.output).channels, {}};
  for (const TensorView& view : op.inputs) {
    output.sources.push_back({region(tile, view.tensor), tensor(view.tensor).channels});
  }
  for (const DeviceCall& call : op.kind.traits->device_calls(op, output)) {
    const int source = op.inputs[call.input].tensor;
    Dispatch dispatch;
    dispatch.kernel.shader = kernel_name(call.kernel, source, op.output);
    for (const int constant : call.constants) dispatch.kernel.constants.push_back(to_word(constant));
    dispatch.source(0, tensor_slice(tile, source));
    const Slice target = tensor_slice(tile, op.output);
    call.keeps_unwritten ? dispatch.read_write(BindingSlot::target, target)
                         : dispatch.write(BindingSlot::target, target);
    assert(std::span{call.push_constants}.size_bytes() <= dispatch.push_data.size());
    std::memcpy(dispatch.push_data.data(), call.push_constants.data(), std::span{call.push_constants}.size_bytes());
    dispatch.groups = {group_count(output.region.width(), 8), group_count(output.region.height(), 8),
                       to_word(call.vector_count)};
    if (auto recorded = stream_.dispatch(dispatch); !recorded) return recorded;
  }
  return ok();
}

Status Recorder::record_shuffle(const Tile& tile, const Op& op, int op_index) {
  const Rect& out = region(tile, op.output);
  const TensorView& view = op.inputs[0];
  const Rect& source_region = region(tile, view.tensor);
  const int factor = op.factor;
  Dispatch dispatch;
  dispatch.source(0, tensor_slice(tile, view.tensor));
  dispatch.read(BindingSlot::parameters, weight_slice(weights_.ops[to_index(op_index)].parameters));
  ShufflePush push;
  push.offset =
      pack_pair(out.left / factor + view.left - source_region.left, out.top / factor + view.top - source_region.top);
  push.width = to_word(source_region.width());
  push.phase = pack_pair(out.left % factor, out.top % factor);
  push.target_extent = pack_size(out);
  if (op.inputs.size() > 1) {
    const TensorView& base = op.inputs[1];
    const Rect& base_region = region(tile, base.tensor);
    dispatch.read(BindingSlot::residual, tensor_slice(tile, base.tensor));
    push.base_offset =
        pack_pair(out.left / factor + base.left - base_region.left, out.top / factor + base.top - base_region.top);
    push.base_width = to_word(base_region.width());
  }
  dispatch.write(BindingSlot::target, tensor_slice(tile, op.output)).push_constants(push);
  const int vectors = vector_count(tensor(op.output));
  dispatch.kernel = {kernel_name("pixel_shuffle", view.tensor, op.output),
                     to_words({factor, vector_count(tensor(view.tensor)), vectors, tensor(op.output).channels,
                               op.inputs.size() > 1 ? 1 : 0})};
  dispatch.groups = {group_count(out.width(), 8), group_count(out.height(), 8), to_word(vectors)};
  return stream_.dispatch(dispatch);
}

Status Recorder::record_resize(const Tile& tile, const Op& op, int op_index) {
  const Rect& out = region(tile, op.output);
  const TensorView& view = op.inputs[0];
  const Rect& source_region = region(tile, view.tensor);
  const int taps = tap_count(std::get<Interp>(op.layer_operation).kind);
  InterpPush push;
  push.origin_x = to_word(out.left);
  push.origin_y = to_word(out.top);
  push.columns = to_word(extents_[to_index(op.output)].width);
  push.source_x = source_region.left - view.left;
  push.source_y = source_region.top - view.top;
  push.source_width = to_word(source_region.width());
  push.whole_width = extents_[to_index(view.tensor)].width;
  push.whole_height = extents_[to_index(view.tensor)].height;
  push.target_extent = pack_size(out);
  const int vectors = vector_count(tensor(op.output));
  Dispatch dispatch;
  dispatch.kernel = {kernel_name("interp", view.tensor, op.output), to_words({taps, vectors})};
  dispatch.source(0, tensor_slice(tile, view.tensor))
      .read(BindingSlot::parameters, table_slice(table_layout_.taps[to_index(op_index)]))
      .write(BindingSlot::target, tensor_slice(tile, op.output))
      .push_constants(push);
  dispatch.groups = {group_count(out.width(), 8), group_count(out.height(), 8), to_word(vectors)};
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
