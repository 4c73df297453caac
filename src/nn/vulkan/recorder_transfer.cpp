#include "nn/vulkan/recorder.hpp"

#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/samples_layout.hpp"

namespace weir::nn::vulkan {

using compute::vulkan::Place;

namespace {

struct SamplesPush {
  std::uint32_t extent = 0, offset = 0, width = 0, phase = 0, base_offset = 0, base_width = 0, base_phase = 0;
};

}  // namespace

Status Recorder::input(const Tile& tile, int t, Slice planes, bool samples) {
  const Rect& out = region(tile, t);
  Dispatch dispatch;
  dispatch.write(Place::target, tensor_slice(tile, t));
  if (samples) {
    struct {
      std::uint32_t extent;
      float unit;
    } const push{size_of(out), 1 / 255.0F};
    dispatch.kernel = {"samples_in_ff", {}};
    dispatch.read(Place::residual, planes).constants(push);
  } else {
    dispatch.kernel = {"planes_in_ff", constants({tensor(t).channels})};
    dispatch.source(0, planes).constants(size_of(out));
  }
  dispatch.groups = {groups(out.width(), 64), word(out.height()), 1};
  return stream_.dispatch(dispatch);
}

Status Recorder::read_planes(const Tile& tile, int t, Rect rect, Slice to) {
  const Rect& held = region(tile, t);
  Dispatch dispatch;
  dispatch.kernel = {"planes_out_ff", constants({tensor(t).channels})};
  dispatch.source(0, tensor_slice(tile, t)).write(Place::residual, to);
  dispatch.constants(RectPush{pair(rect.left - held.left, rect.top - held.top), word(held.width()), size_of(rect)});
  dispatch.groups = {groups(rect.width(), 64), word(rect.height()), 1};
  return stream_.dispatch(dispatch);
}

Status Recorder::read_samples(const Tile& tile, Rect rect, Slice to, const Transfer& transfer) {
  const int number = tensor(program_.output).producer;
  const Op& last = program_.ops[at(number)];
  const bool shuffles = shuffles_to_samples(program_, transfer);
  const View view = shuffles ? last.inputs[0] : View{program_.output};
  const Rect& held = region(tile, view.tensor);
  const int f = shuffles ? last.factor : 1;
  Dispatch dispatch;
  dispatch.source(0, tensor_slice(tile, view.tensor)).write(Place::target, to);
  SamplesPush push;
  push.extent = size_of(rect);
  push.offset = pair(rect.left / f + view.left - held.left, rect.top / f + view.top - held.top);
  push.width = word(held.width());
  push.phase = pair(rect.left % f, rect.top % f);
  int scale = transfer.base_scale;
  const auto put_on = [&](int base, int x, int y, int phase_x, int phase_y) {
    const Rect& under = region(tile, base);
    dispatch.read(Place::residual, tensor_slice(tile, base));
    push.base_offset = pair(x - under.left, y - under.top);
    push.base_width = word(under.width());
    push.base_phase = pair(phase_x, phase_y);
  };
  if (scale > 0) {
    const Rect base = base_under(transfer, rect);
    const int shift = transfer.base_shift;
    put_on(input_tensor(program_), base.left, base.top, (rect.left + shift) % scale, (rect.top + shift) % scale);
  } else if (shuffles && last.inputs.size() > 1) {
    const View& base = last.inputs[1];
    scale = f;
    put_on(base.tensor, rect.left / f + base.left, rect.top / f + base.top, rect.left % f, rect.top % f);
  }
  if (shuffles) dispatch.read(Place::parameters, weight_slice(weights_.ops[at(number)].parameters));
  dispatch.kernel = {shuffles ? kernel("shuffle_samples", view.tensor, -1) : "samples_out_ff",
                     constants({f, vectors_of(tensor(view.tensor)), scale})};
  dispatch.constants(push);
  dispatch.groups = {groups(rect.width(), SamplesLayout::kPiece), word(rect.height()), 1};
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
