// Records the kernels that convert the input of a tile to a tensor, and the result of a tile to planes or 8-bit samples
// for the host.

#include "nn/vulkan/recorder.hpp"

#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/samples_layout.hpp"

namespace weir::nn::vulkan {

using compute::vulkan::BindingSlot;

namespace {

/// The push constants of samples_out.comp and shuffle_samples.comp; compute/kernels/samples/samples.glsl explains them.
struct SamplesPush {
  std::uint32_t extent = 0, offset = 0, width = 0, phase = 0, base_offset = 0, base_width = 0, base_phase = 0;
};

}  // namespace

Status Recorder::record_input(const Tile& tile, int t, Slice input, bool samples) {
  const Rect& out = region(tile, t);
  Dispatch dispatch;
  dispatch.write(BindingSlot::target, tensor_slice(tile, t));
  if (samples) {
    struct {
      std::uint32_t extent;
      float unit;  // the value of one step of a sample
    } const push{pack_size(out), 1 / 255.0F};
    dispatch.kernel = {"samples_in_ff", {}};
    dispatch.read(BindingSlot::residual, input).push_constants(push);
  } else {
    dispatch.kernel = {"planes_in_ff", to_words({tensor(t).channels})};
    dispatch.source(0, input).push_constants(pack_size(out));
  }
  dispatch.groups = {group_count(out.width(), 64), to_word(out.height()), 1};
  return stream_.dispatch(dispatch);
}

Status Recorder::write_planes(const Tile& tile, int t, Rect rect, Slice to) {
  const Rect& source_region = region(tile, t);
  Dispatch dispatch;
  dispatch.kernel = {"planes_out_ff", to_words({tensor(t).channels})};
  dispatch.source(0, tensor_slice(tile, t)).write(BindingSlot::residual, to);
  dispatch.push_constants(RectPush{pack_pair(rect.left - source_region.left, rect.top - source_region.top),
                                   to_word(source_region.width()), pack_size(rect)});
  dispatch.groups = {group_count(rect.width(), 64), to_word(rect.height()), 1};
  return stream_.dispatch(dispatch);
}

Status Recorder::write_samples(const Tile& tile, Rect rect, Slice to, const TransferFormat& transfer) {
  const int op_index = tensor(program_.output).producer;
  const Op& last = program_.ops[to_index(op_index)];
  const bool shuffles = shuffle_makes_samples(program_, transfer);
  const TensorView view = shuffles ? last.inputs[0] : TensorView{program_.output};
  const Rect& source_region = region(tile, view.tensor);
  const int factor = shuffles ? last.factor : 1;
  Dispatch dispatch;
  dispatch.source(0, tensor_slice(tile, view.tensor)).write(BindingSlot::target, to);
  SamplesPush push;
  push.extent = pack_size(rect);
  push.offset =
      pack_pair(rect.left / factor + view.left - source_region.left, rect.top / factor + view.top - source_region.top);
  push.width = to_word(source_region.width());
  push.phase = pack_pair(rect.left % factor, rect.top % factor);
  // The base is the picture that is enlarged by `scale` and added: the network's input (TransferFormat), or the second
  // input of the pixel shuffle.
  int scale = transfer.base_scale;
  const auto add_base = [&](int base, int x, int y, int phase_x, int phase_y) {
    const Rect& base_region = region(tile, base);
    dispatch.read(BindingSlot::residual, tensor_slice(tile, base));
    push.base_offset = pack_pair(x - base_region.left, y - base_region.top);
    push.base_width = to_word(base_region.width());
    push.base_phase = pack_pair(phase_x, phase_y);
  };
  if (scale > 0) {
    const Rect base = base_rect(transfer, rect);
    const int shift = transfer.base_shift;
    add_base(input_tensor(program_), base.left, base.top, (rect.left + shift) % scale, (rect.top + shift) % scale);
  } else if (shuffles && last.inputs.size() > 1) {
    const TensorView& base = last.inputs[1];
    scale = factor;
    add_base(base.tensor, rect.left / factor + base.left, rect.top / factor + base.top, rect.left % factor,
             rect.top % factor);
  }
  if (shuffles) dispatch.read(BindingSlot::parameters, weight_slice(weights_.ops[to_index(op_index)].parameters));
  dispatch.kernel = {shuffles ? kernel_name("shuffle_samples", view.tensor, -1) : "samples_out_ff",
                     to_words({factor, vector_count(tensor(view.tensor)), scale})};
  dispatch.push_constants(push);
  dispatch.groups = {group_count(rect.width(), SamplesLayout::kFlagPixels), to_word(rect.height()), 1};
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
