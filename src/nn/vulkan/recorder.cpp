#include "nn/vulkan/recorder.hpp"

#include <array>

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
  static constexpr std::array kNames{
      std::array<std::string_view, 4>{"conv_ff", "conv_fh", "conv_hf", "conv_hh"},
      std::array<std::string_view, 4>{"deconv_ff", "deconv_fh", "deconv_hf", "deconv_hh"},
      std::array<std::string_view, 4>{"pixel_shuffle_ff", "", "pixel_shuffle_hf", "pixel_shuffle_hh"},
      std::array<std::string_view, 4>{"interp_ff", "", "", "interp_hh"},
      std::array<std::string_view, 4>{"weighted_sum_ff", "", "", "weighted_sum_hh"},
      std::array<std::string_view, 4>{"concat_ff", "", "", "concat_hh"},
      std::array<std::string_view, 4>{"mean_add_ff", "", "mean_add_hf", ""},
      std::array<std::string_view, 4>{"shuffle_samples_ff", "", "shuffle_samples_hf", ""},
  };
  const bool reads_half = half_ && from >= 0 && !tensor(from).planar;
  const bool writes_half = half_ && to >= 0 && !tensor(to).planar;
  const std::size_t variant = (reads_half ? 2 : 0) + (writes_half ? 1 : 0);
  for (const auto& names : kNames) {
    if (names[0].substr(0, names[0].size() - 3) == name) return names[variant];
  }
  return {};
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
  switch (op.kind) {
    case OpKind::input:
      break;
    case OpKind::conv3x3:
    case OpKind::direct:
      return convolution(tile, op, number);
    case OpKind::patch:
      return std::holds_alternative<Deconvolution>(graph_.layers[at(op.layer)].operation)
                 ? deconvolution(tile, op, number)
                 : convolution(tile, op, number);
    case OpKind::combine:
      return combine(tile, op);
    case OpKind::shuffle:
      return shuffle(tile, op, number);
    case OpKind::resize:
      return resize(tile, op, number);
    case OpKind::concat:
      return concat(tile, op);
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
  const int taps = tap_count(op.interp.kind);
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
