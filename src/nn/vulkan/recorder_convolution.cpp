// Records convolutions and transposed convolutions: the ops `conv3x3`, `direct` and `patch`.

#include "nn/vulkan/recorder.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

using compute::vulkan::BindingSlot;

namespace {

static_assert(kMaxConcatParts <= compute::vulkan::kMaxSources, "conv.comp has this limit");

/// The push constants of conv.comp and conv3x3_matrix.comp.
struct ConvPush {
  std::uint32_t part_offset[kMaxConcatParts]{}, part_extent[kMaxConcatParts]{};
  std::uint32_t target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};
/// The push constants of deconv.comp.
struct DeconvPush {
  std::uint32_t offset = 0, extent = 0, phase = 0, target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};

/// Records `dispatch` in chunks of rows, each with at most about half of the multiplications that a submission may
/// have, but with the rows of one workgroup at least. Sets `rows` in the push constants of each chunk. `per_pixel` is
/// the number of multiplications for one output pixel. A workgroup has 8 rows of invocations; each invocation computes
/// `rows_per_invocation` output rows.
template <class Push>
Status dispatch_in_chunks(compute::vulkan::Stream& stream, compute::vulkan::Dispatch dispatch, Push push,
                          const Rect& out, double per_pixel, int rows_per_invocation) {
  const double per_row = std::max(per_pixel * out.width(), 1.0);  // not 0, because it is a divisor
  const int row_step = 8 * rows_per_invocation;  // output rows of a workgroup: 16 for conv.comp, 8 for the others
  const double max_rows = stream.max_multiplications() / 2 / per_row;
  constexpr double kAllRows = 32768;  // above the largest height of a tile; fits an int
  const int chunk_rows = std::max(row_step, static_cast<int>(std::min(max_rows, kAllRows)) / row_step * row_step);
  for (int row = 0; row < out.height(); row += chunk_rows) {
    const int count = std::min(chunk_rows, out.height() - row);
    push.rows = pack_pair(row, count);
    dispatch.push_constants(push);
    dispatch.groups[1] = group_count(count, row_step);
    dispatch.multiplications = per_row * count;
    if (auto recorded = stream.dispatch(dispatch); !recorded) return recorded;
  }
  return ok();
}

}  // namespace

Recorder::ResidualPosition Recorder::bind_weights_and_residual(const Tile& tile, const Op& op, int op_index,
                                                               Dispatch& dispatch) const {
  const DeviceWeights::OpWeights& op_weights = weights_.ops[to_index(op_index)];
  dispatch.read(BindingSlot::weights, weight_slice(op_weights.weights))
      .read(BindingSlot::parameters, weight_slice(op_weights.parameters));
  if (!op.inputs.empty() && op.inputs[0].gate >= 0)
    dispatch.read(BindingSlot::gate, table_slice(table_layout_.vectors[to_index(op.inputs[0].gate)]));
  if (!op.epilogue.has_residual) return {};
  const TensorView& view = op.epilogue.residual;
  dispatch.read(BindingSlot::residual, tensor_slice(tile, view.tensor));
  if (view.gate >= 0) dispatch.read(BindingSlot::second_gate, table_slice(table_layout_.vectors[to_index(view.gate)]));
  const Rect& out = region(tile, op.output);
  const Rect& source_region = region(tile, view.tensor);
  return {pack_pair(out.left + view.left - source_region.left, out.top + view.top - source_region.top),
          to_word(source_region.width())};
}

Status Recorder::record_convolution(const Tile& tile, const Op& op, int op_index) {
  const Rect& out = region(tile, op.output);
  const int vectors = vector_count(tensor(op.output));
  Dispatch dispatch;
  ConvPush push;
  std::vector<int> part_vectors(kMaxConcatParts, 0);
  assert(op.inputs.size() <= kMaxConcatParts);
  int in_vectors = 0;
  const int first_tap = op.kind == OpKind::patch ? op.first_tap : -op.pad;
  const int stride = op.kind == OpKind::patch ? op.stride : 1;
  for (std::size_t p = 0; p < op.inputs.size(); ++p) {
    const TensorView& view = op.inputs[p];
    const Rect& source_region = region(tile, view.tensor);
    push.part_offset[p] = pack_pair(out.left * stride + first_tap + view.left - source_region.left,
                                    out.top * stride + first_tap + view.top - source_region.top);
    push.part_extent[p] = pack_size(source_region);
    part_vectors[p] = vector_count(tensor(view.tensor));
    in_vectors += part_vectors[p];
    dispatch.source(static_cast<std::uint32_t>(p), tensor_slice(tile, view.tensor));
  }
  const ResidualPosition residual_position = bind_weights_and_residual(tile, op, op_index, dispatch);
  dispatch.write(BindingSlot::target, tensor_slice(tile, op.output));
  push.target_extent = pack_size(out);
  push.residual_offset = residual_position.packed_position;
  push.residual_width = residual_position.width;
  push.alpha = op.epilogue.alpha;
  push.beta = op.epilogue.beta;
  const int gated = op.inputs[0].gate >= 0 ? 1 : 0;
  // The numbers are the specialisation constants, in the order of conv.comp.
  dispatch.kernel = {
      kernel_name("conv", op.inputs[0].tensor, op.output),
      to_words({op.kernel, stride, static_cast<int>(op.inputs.size()), vectors, gated, op.epilogue.has_residual ? 1 : 0,
                op.epilogue.has_residual && op.epilogue.residual.gate >= 0 ? 1 : 0, in_vectors})};
  for (const int count : part_vectors) dispatch.kernel.constants.push_back(to_word(count));
  if (can_use_matrices(op)) {
    const int channel_groups = tensor(op.output).channels / 16;
    // `groups_per_workgroup` is TILES of conv3x3_matrix.comp: the number of groups (matrices) of 16 output channels
    // that a workgroup computes.
    const int groups_per_workgroup = channel_groups % 4 == 0   ? 4
                                     : channel_groups % 3 == 0 ? 3
                                     : channel_groups % 2 == 0 ? 2
                                                               : 1;
    dispatch.kernel.shader = "conv3x3_matrix";
    dispatch.kernel.constants.push_back(to_word(groups_per_workgroup));
    // A workgroup computes 16 columns. dispatch_in_chunks() sets groups[1], here and below.
    dispatch.groups = {group_count(out.width(), 16), 1, to_word(channel_groups / groups_per_workgroup)};
    return dispatch_in_chunks(stream_, std::move(dispatch), push, out, op.multiplications, 1);
  }
  // A workgroup of conv.comp computes 32 columns: each of its 8 x 8 invocations computes 4 columns of 2 rows.
  dispatch.groups = {group_count(out.width(), 32), 1, to_word(vectors)};
  return dispatch_in_chunks(stream_, std::move(dispatch), push, out, op.multiplications, 2);
}

bool Recorder::can_use_matrices(const Op& op) const {
  const auto fits = [&](int t) { return !tensor(t).planar && tensor(t).channels % 16 == 0; };
  return use_matrices_ && half_ && op.kind == OpKind::conv3x3 && fits(op.output) &&
         std::all_of(op.inputs.begin(), op.inputs.end(), [&](const TensorView& view) { return fits(view.tensor); });
}

Status Recorder::record_deconvolution(const Tile& tile, const Op& op, int op_index) {
  const auto& layer = std::get<Deconvolution>(graph_.layers[to_index(op.layer)].operation);
  const Rect& out = region(tile, op.output);
  const TensorView& view = op.inputs[0];
  const Rect& source_region = region(tile, view.tensor);
  const int vectors = vector_count(tensor(op.output));
  Dispatch dispatch;
  dispatch.source(0, tensor_slice(tile, view.tensor));
  const ResidualPosition residual_position = bind_weights_and_residual(tile, op, op_index, dispatch);
  dispatch.write(BindingSlot::target, tensor_slice(tile, op.output));
  const int factor = op.factor;
  // The transposed convolution computes an output without cropping; (full_y, full_x) is the position of the first pixel
  // in it.
  const int full_y = out.top + op.output_crop;
  const int full_x = out.left + op.output_crop;
  DeconvPush push;
  push.offset = pack_pair(full_x / factor + op.first_tap + view.left - source_region.left,
                          full_y / factor + op.first_tap + view.top - source_region.top);
  push.phase = pack_pair(full_x % factor, full_y % factor);
  push.extent = pack_size(source_region);
  push.target_extent = pack_size(out);
  push.residual_offset = residual_position.packed_position;
  push.residual_width = residual_position.width;
  push.alpha = op.epilogue.alpha;
  push.beta = op.epilogue.beta;
  // The numbers are the specialisation constants, in the order of deconv.comp.
  dispatch.kernel = {
      kernel_name("deconv", view.tensor, op.output),
      to_words({layer.kernel, factor, op.kernel, vectors, view.gate >= 0 ? 1 : 0, op.epilogue.has_residual ? 1 : 0,
                op.epilogue.has_residual && op.epilogue.residual.gate >= 0 ? 1 : 0,
                vector_count(tensor(view.tensor))})};
  dispatch.groups = {group_count(out.width(), 8), 1, to_word(vectors)};
  return dispatch_in_chunks(stream_, std::move(dispatch), push, out, op.multiplications, 1);
}

}  // namespace weir::nn::vulkan
