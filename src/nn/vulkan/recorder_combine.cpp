// Records the op `combine`: a sum of tensors, then an activation.

#include <cassert>

#include "compute/kernels/kernels.hpp"
#include "nn/vulkan/recorder.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::BindingSlot;

static_assert(compute::kMaxCombined <= compute::vulkan::kMaxSources && kMaxGatedInputs == 2,
              "weighted_sum.comp has these limits");

/// The push constants of weighted_sum.comp.
struct SumPush {
  std::uint32_t offset[compute::kMaxCombined]{}, width[compute::kMaxCombined]{};
  float coefficient[compute::kMaxCombined]{};
  float constant = 0, a = 0, b = 0;  // a, b: parameters of the activation
  std::uint32_t target_extent = 0;
};

}  // namespace

Status Recorder::record_combine(const Tile& tile, const Op& op) {
  const Rect& out = region(tile, op.output);
  const int vectors_per_pixel = vector_count(tensor(op.output));
  Dispatch dispatch;
  SumPush push;
  assert(op.inputs.size() <= compute::kMaxCombined);
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const TensorView& view = op.inputs[i];
    const Rect& source_region = region(tile, view.tensor);
    push.offset[i] = pack_pair(out.left + view.left - source_region.left, out.top + view.top - source_region.top);
    push.width[i] = to_word(source_region.width());
    push.coefficient[i] = op.coefficient[i];
    dispatch.source(static_cast<std::uint32_t>(i), tensor_slice(tile, view.tensor));
    if (view.gate < 0) continue;
    assert(i < kMaxGatedInputs);
    dispatch.read(i == 0 ? BindingSlot::gate : BindingSlot::second_gate,
                  table_slice(table_layout_.vectors[to_index(view.gate)]));
  }
  push.constant = op.constant;
  push.a = op.activation.a;
  push.b = op.activation.b;
  push.target_extent = pack_size(out);
  dispatch.write(BindingSlot::target, tensor_slice(tile, op.output)).push_constants(push);
  const auto gated = [&](std::size_t i) { return i < op.inputs.size() && op.inputs[i].gate >= 0 ? 1 : 0; };
  // The numbers are the specialisation constants, in the order of weighted_sum.comp.
  dispatch.kernel = {kernel_name("weighted_sum", op.inputs[0].tensor, op.output),
                     to_words({static_cast<int>(op.inputs.size()), vectors_per_pixel, gated(0), gated(1),
                               static_cast<int>(op.activation.kind), tensor(op.output).channels})};
  dispatch.groups = {group_count(out.width(), 8), group_count(out.height(), 8), to_word(vectors_per_pixel)};
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
