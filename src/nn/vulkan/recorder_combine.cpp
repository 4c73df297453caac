#include <cassert>

#include "compute/kernels/kernels.hpp"
#include "nn/vulkan/recorder.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Place;

static_assert(compute::kMostCombined <= compute::vulkan::kMostSources && kMostGated == 2, "what weighted_sum.comp has");

struct SumPush {
  std::uint32_t offset[compute::kMostCombined]{}, width[compute::kMostCombined]{};
  float coefficient[compute::kMostCombined]{};
  float constant = 0, a = 0, b = 0;
  std::uint32_t target_extent = 0;
};

}  // namespace

Status Recorder::combine(const Tile& tile, const Op& op) {
  const Rect& out = region(tile, op.output);
  const int vectors = vectors_of(tensor(op.output));
  Dispatch dispatch;
  SumPush push;
  assert(op.inputs.size() <= compute::kMostCombined);
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const View& view = op.inputs[i];
    const Rect& held = region(tile, view.tensor);
    push.offset[i] = pair(out.left + view.left - held.left, out.top + view.top - held.top);
    push.width[i] = word(held.width());
    push.coefficient[i] = op.coefficient[i];
    dispatch.source(static_cast<std::uint32_t>(i), tensor_slice(tile, view.tensor));
    if (view.gate < 0) continue;
    assert(i < kMostGated);
    dispatch.read(i == 0 ? Place::gate : Place::second_gate, parameter_slice(parameters_.vectors[at(view.gate)]));
  }
  push.constant = op.constant;
  push.a = op.activation.a;
  push.b = op.activation.b;
  push.target_extent = size_of(out);
  dispatch.write(Place::target, tensor_slice(tile, op.output)).constants(push);
  const auto gated = [&](std::size_t i) { return i < op.inputs.size() && op.inputs[i].gate >= 0 ? 1 : 0; };
  dispatch.kernel = {kernel("weighted_sum", op.inputs[0].tensor, op.output),
                     constants({static_cast<int>(op.inputs.size()), vectors, gated(0), gated(1),
                                static_cast<int>(op.activation.kind), tensor(op.output).channels})};
  dispatch.groups = {groups(out.width(), 8), groups(out.height(), 8), word(vectors)};
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
