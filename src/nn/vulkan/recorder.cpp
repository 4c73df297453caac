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

using compute::vulkan::Place;

struct ShufflePush {
  std::uint32_t offset = 0, width = 0, phase = 0, target_extent = 0, base_offset = 0, base_width = 0;
};
struct InterpPush {
  std::uint32_t origin_x = 0, origin_y = 0, columns = 0;
  std::int32_t source_x = 0, source_y = 0;
  std::uint32_t source_width = 0;
  std::int32_t whole_width = 0, whole_height = 0;
  std::uint32_t target_extent = 0;
};

}  // namespace

/// "conv" from features to a picture in float16: "conv_hf". The names are those of files, so they live forever.
std::string_view Recorder::kernel(std::string_view name, int from, int to) const {
  const auto letter = [&](int t) { return half_ && t >= 0 && !tensor(t).planar ? 'h' : 'f'; };
  const auto* shader = compute::vulkan::find_shader(fmt::format("{}_{}{}", name, letter(from), letter(to)));
  return shader != nullptr ? shader->name : std::string_view{};
}

compute::vulkan::Slice Recorder::tensor_slice(const Tile& tile, int t) const {
  const Rect& rect = region(tile, t);
  const Bytes size = pixel_bytes(tensor(t), half_) * static_cast<std::uint64_t>(rect.height()) *
                     static_cast<std::uint64_t>(rect.width());
  return {memory_.arena.buffer, memory_.arena.offset + tile.offset[at(t)], size.count()};
}
compute::vulkan::Slice Recorder::weight_slice(Piece piece) const {
  return {memory_.weights.buffer, memory_.weights.offset + piece.offset, piece.size};
}
compute::vulkan::Slice Recorder::parameter_slice(Piece piece) const {
  return {memory_.parameters.buffer, memory_.parameters.offset + piece.offset, piece.size};
}

Status Recorder::record(const Tile& tile, Slice planes, bool samples, bool means) {
  for (std::size_t o = 0; o < program_.ops.size(); ++o) {
    const Op& each = program_.ops[o];
    if (region(tile, each.output).empty()) continue;
    auto recorded =
        each.kind == OpKind::input ? input(tile, each.output, planes, samples) : op(tile, each, static_cast<int>(o));
    if (!recorded) return recorded;
    for (const Statistic& statistic : program_.statistics) {
      if (!means || statistic.source.tensor != each.output) continue;
      if (auto begun = begin_mean(); !begun) return begun;
      if (auto added = add_to_mean(tile, statistic, whole(extent_[at(each.output)])); !added) return added;
      if (auto finished = finish_mean(statistic); !finished) return finished;
    }
  }
  return ok();
}

Status Recorder::op(const Tile& tile, const Op& op, int number) {
  if (op.kind.traits->calls != nullptr) return calls(tile, op);
  if (op.kind == OpKind::combine) return combine(tile, op);
  if (op.kind == OpKind::shuffle) return shuffle(tile, op, number);
  if (op.kind == OpKind::resize) return resize(tile, op, number);
  const bool transposed = std::holds_alternative<Deconvolution>(graph_.layers[at(op.layer)].operation);
  return op.kind == OpKind::patch && transposed ? deconvolution(tile, op, number) : convolution(tile, op, number);
}

Status Recorder::calls(const Tile& tile, const Op& op) {
  DevicePart part{region(tile, op.output), extent_[at(op.output)], tensor(op.output).channels, {}};
  for (const View& view : op.inputs) {
    part.sources.push_back({region(tile, view.tensor), tensor(view.tensor).channels});
  }
  for (const DeviceCall& call : op.kind.traits->calls(op, part)) {
    const int source = op.inputs[call.input].tensor;
    Dispatch dispatch;
    dispatch.kernel.shader = kernel(call.kernel, source, op.output);
    for (const int constant : call.constants) dispatch.kernel.constants.push_back(word(constant));
    dispatch.source(0, tensor_slice(tile, source));
    const Slice target = tensor_slice(tile, op.output);
    call.keeps ? dispatch.change(Place::target, target) : dispatch.write(Place::target, target);
    assert(std::span{call.push}.size_bytes() <= dispatch.push.size());
    std::memcpy(dispatch.push.data(), call.push.data(), std::span{call.push}.size_bytes());
    dispatch.groups = {groups(part.out.width(), 8), groups(part.out.height(), 8), word(call.vectors)};
    if (auto recorded = stream_.dispatch(dispatch); !recorded) return recorded;
  }
  return ok();
}

Status Recorder::shuffle(const Tile& tile, const Op& op, int number) {
  const Rect& out = region(tile, op.output);
  const View& view = op.inputs[0];
  const Rect& held = region(tile, view.tensor);
  const int f = op.factor;
  Dispatch dispatch;
  dispatch.source(0, tensor_slice(tile, view.tensor));
  dispatch.read(Place::parameters, weight_slice(weights_.ops[at(number)].parameters));
  ShufflePush push;
  push.offset = pair(out.left / f + view.left - held.left, out.top / f + view.top - held.top);
  push.width = word(held.width());
  push.phase = pair(out.left % f, out.top % f);
  push.target_extent = size_of(out);
  if (op.inputs.size() > 1) {
    const View& base = op.inputs[1];
    const Rect& under = region(tile, base.tensor);
    dispatch.read(Place::residual, tensor_slice(tile, base.tensor));
    push.base_offset = pair(out.left / f + base.left - under.left, out.top / f + base.top - under.top);
    push.base_width = word(under.width());
  }
  dispatch.write(Place::target, tensor_slice(tile, op.output)).constants(push);
  const int vectors = vectors_of(tensor(op.output));
  dispatch.kernel = {kernel("pixel_shuffle", view.tensor, op.output),
                     constants({f, vectors_of(tensor(view.tensor)), vectors, tensor(op.output).channels,
                                op.inputs.size() > 1 ? 1 : 0})};
  dispatch.groups = {groups(out.width(), 8), groups(out.height(), 8), word(vectors)};
  return stream_.dispatch(dispatch);
}

Status Recorder::resize(const Tile& tile, const Op& op, int number) {
  const Rect& out = region(tile, op.output);
  const View& view = op.inputs[0];
  const Rect& held = region(tile, view.tensor);
  const int taps = tap_count(std::get<Interp>(op.own).kind);
  InterpPush push;
  push.origin_x = word(out.left);
  push.origin_y = word(out.top);
  push.columns = word(extent_[at(op.output)].width);
  push.source_x = held.left - view.left;
  push.source_y = held.top - view.top;
  push.source_width = word(held.width());
  push.whole_width = extent_[at(view.tensor)].width;
  push.whole_height = extent_[at(view.tensor)].height;
  push.target_extent = size_of(out);
  const int vectors = vectors_of(tensor(op.output));
  Dispatch dispatch;
  dispatch.kernel = {kernel("interp", view.tensor, op.output), constants({taps, vectors})};
  dispatch.source(0, tensor_slice(tile, view.tensor))
      .read(Place::parameters, parameter_slice(parameters_.taps[at(number)]))
      .write(Place::target, tensor_slice(tile, op.output))
      .constants(push);
  dispatch.groups = {groups(out.width(), 8), groups(out.height(), 8), word(vectors)};
  return stream_.dispatch(dispatch);
}

}  // namespace weir::nn::vulkan
