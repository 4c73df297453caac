#include "nn/vulkan/recorder.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "nn/vulkan/samples_layout.hpp"

namespace weir::nn::vulkan {

namespace {

using compute::vulkan::Place;

/// A command of more multiplications than this is recorded in rows, so that no submission becomes a long one.
constexpr double kMostMultiplications = 2e9;

std::size_t at(int i) { return static_cast<std::size_t>(i); }
std::uint32_t word(int n) { return static_cast<std::uint32_t>(n); }
/// x below y, 16 bits each; see kernels/vulkan/interface.glsl.
std::uint32_t pair(int x, int y) { return (word(x) & 0xFFFFU) | (word(y) << 16); }
std::uint32_t size_of(const Rect& rect) { return pair(rect.width(), rect.height()); }
std::uint32_t groups(int n, int per_group) { return word((n + per_group - 1) / per_group); }

std::vector<std::uint32_t> constants(std::initializer_list<int> values) {
  std::vector<std::uint32_t> words;
  for (const int value : values) words.push_back(word(value));
  return words;
}

struct ConvPush {
  std::uint32_t part_offset[8]{}, part_extent[8]{};
  std::uint32_t target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};
struct DeconvPush {
  std::uint32_t offset = 0, extent = 0, phase = 0, target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};
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
struct SumPush {
  std::uint32_t offset[8]{}, width[8]{};
  float coefficient[8]{};
  float constant = 0, a = 0, b = 0;
  std::uint32_t target_extent = 0;
};
struct ConcatPush {
  std::uint32_t offset = 0, width = 0, target_extent = 0;
};
struct SamplesPush {
  std::uint32_t extent = 0, offset = 0, width = 0, phase = 0, base_offset = 0, base_width = 0, base_phase = 0;
};
struct RectPush {
  std::uint32_t offset = 0, width = 0, extent = 0;
};

/// Records `dispatch` row by row in pieces, if it is large: `rows` is set in its push constants before each.
template <class Push>
Status in_pieces(compute::vulkan::Stream& stream, compute::vulkan::Dispatch dispatch, Push push, const Rect& out,
                 double per_pixel, int rows_per_invocation) {
  const double per_row = std::max(per_pixel * out.width(), 1.0);
  const int least = 8 * rows_per_invocation;
  const int most = std::max(least, static_cast<int>(std::min(kMostMultiplications / per_row, 32768.0)) / least * least);
  for (int row = 0; row < out.height(); row += most) {
    const int count = std::min(most, out.height() - row);
    push.rows = pair(row, count);
    dispatch.constants(push);
    dispatch.groups[1] = groups(count, least);
    dispatch.multiplications = per_row * count;
    if (auto recorded = stream.dispatch(dispatch); !recorded) return recorded;
  }
  return ok();
}

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

Recorder::Under Recorder::add_epilogue(const Tile& tile, const Op& op, int number, Dispatch& dispatch) const {
  const DeviceWeights::Of& of = weights_.ops[at(number)];
  dispatch.read(Place::weights, weight_slice(of.weights)).read(Place::parameters, weight_slice(of.parameters));
  if (!op.inputs.empty() && op.inputs[0].gate >= 0)
    dispatch.read(Place::gate, parameter_slice(parameters_.vectors[at(op.inputs[0].gate)]));
  if (!op.epilogue.has_residual) return {};
  const View& view = op.epilogue.residual;
  dispatch.read(Place::residual, tensor_slice(tile, view.tensor));
  if (view.gate >= 0) dispatch.read(Place::second_gate, parameter_slice(parameters_.vectors[at(view.gate)]));
  const Rect& out = region(tile, op.output);
  const Rect& held = region(tile, view.tensor);
  return {pair(out.left + view.left - held.left, out.top + view.top - held.top), word(held.width())};
}

Status Recorder::convolution(const Tile& tile, const Op& op, int number) {
  const Rect& out = region(tile, op.output);
  const int vectors = vectors_of(tensor(op.output));
  Dispatch dispatch;
  ConvPush push;
  std::vector<int> part_vectors(8, 0);
  int all = 0;
  const int first_tap = op.kind == OpKind::patch ? op.first_tap : -op.pad;
  const int stride = op.kind == OpKind::patch ? op.stride : 1;
  for (std::size_t p = 0; p < op.inputs.size(); ++p) {
    const View& view = op.inputs[p];
    const Rect& held = region(tile, view.tensor);
    push.part_offset[p] =
        pair(out.left * stride + first_tap + view.left - held.left, out.top * stride + first_tap + view.top - held.top);
    push.part_extent[p] = size_of(held);
    part_vectors[p] = vectors_of(tensor(view.tensor));
    all += part_vectors[p];
    dispatch.source(static_cast<std::uint32_t>(p), tensor_slice(tile, view.tensor));
  }
  const Under under = add_epilogue(tile, op, number, dispatch);
  dispatch.write(Place::target, tensor_slice(tile, op.output));
  push.target_extent = size_of(out);
  push.residual_offset = under.offset;
  push.residual_width = under.width;
  push.alpha = op.epilogue.alpha;
  push.beta = op.epilogue.beta;
  const int gated = op.inputs[0].gate >= 0 ? 1 : 0;
  dispatch.kernel = {kernel("conv", op.inputs[0].tensor, op.output),
                     constants({op.kernel, stride, static_cast<int>(op.inputs.size()), vectors, gated,
                                op.epilogue.has_residual ? 1 : 0,
                                op.epilogue.has_residual && op.epilogue.residual.gate >= 0 ? 1 : 0, all})};
  for (const int count : part_vectors) dispatch.kernel.constants.push_back(word(count));
  if (fits_matrices(op)) {
    const int sixteens = tensor(op.output).channels / 16;
    const int tiles = sixteens % 4 == 0 ? 4 : sixteens % 3 == 0 ? 3 : sixteens % 2 == 0 ? 2 : 1;
    dispatch.kernel.shader = "conv3x3_matrix";
    dispatch.kernel.constants.push_back(word(tiles));
    dispatch.groups = {groups(out.width(), 16), 1, word(sixteens / tiles)};
    return in_pieces(stream_, std::move(dispatch), push, out, op.multiplications, 1);
  }
  dispatch.groups = {groups(out.width(), 32), 1, word(vectors)};
  return in_pieces(stream_, std::move(dispatch), push, out, op.multiplications, 2);
}

bool Recorder::fits_matrices(const Op& op) const {
  const auto fits = [&](int t) { return !tensor(t).planar && tensor(t).channels % 16 == 0; };
  return matrices_ && half_ && op.kind == OpKind::conv3x3 && fits(op.output) &&
         std::all_of(op.inputs.begin(), op.inputs.end(), [&](const View& view) { return fits(view.tensor); });
}

Status Recorder::deconvolution(const Tile& tile, const Op& op, int number) {
  const auto& layer = std::get<Deconvolution>(graph_.layers[at(op.layer)].operation);
  const Rect& out = region(tile, op.output);
  const View& view = op.inputs[0];
  const Rect& held = region(tile, view.tensor);
  const int vectors = vectors_of(tensor(op.output));
  Dispatch dispatch;
  dispatch.source(0, tensor_slice(tile, view.tensor));
  const Under under = add_epilogue(tile, op, number, dispatch);
  dispatch.write(Place::target, tensor_slice(tile, op.output));
  const int f = op.factor;
  const int full_y = out.top + op.lead;
  const int full_x = out.left + op.lead;
  DeconvPush push;
  push.offset =
      pair(full_x / f + op.first_tap + view.left - held.left, full_y / f + op.first_tap + view.top - held.top);
  push.phase = pair(full_x % f, full_y % f);
  push.extent = size_of(held);
  push.target_extent = size_of(out);
  push.residual_offset = under.offset;
  push.residual_width = under.width;
  push.alpha = op.epilogue.alpha;
  push.beta = op.epilogue.beta;
  dispatch.kernel = {
      kernel("deconv", view.tensor, op.output),
      constants({layer.kernel, f, op.kernel, vectors, view.gate >= 0 ? 1 : 0, op.epilogue.has_residual ? 1 : 0,
                 op.epilogue.has_residual && op.epilogue.residual.gate >= 0 ? 1 : 0, vectors_of(tensor(view.tensor))})};
  dispatch.groups = {groups(out.width(), 8), 1, word(vectors)};
  return in_pieces(stream_, std::move(dispatch), push, out, op.multiplications, 1);
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
  const int taps = op.interp.kind == Interp::Kind::nearest ? 1 : op.interp.kind == Interp::Kind::bilinear ? 2 : 4;
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

Status Recorder::combine(const Tile& tile, const Op& op) {
  const Rect& out = region(tile, op.output);
  const int vectors = vectors_of(tensor(op.output));
  Dispatch dispatch;
  SumPush push;
  if (op.inputs.size() > compute::vulkan::kMostSources)
    return Error{Errc::unsupported, fmt::format("a sum of {} pictures on a GPU", op.inputs.size())};
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const View& view = op.inputs[i];
    const Rect& held = region(tile, view.tensor);
    push.offset[i] = pair(out.left + view.left - held.left, out.top + view.top - held.top);
    push.width[i] = word(held.width());
    push.coefficient[i] = op.coefficient[i];
    dispatch.source(static_cast<std::uint32_t>(i), tensor_slice(tile, view.tensor));
    if (view.gate < 0) continue;
    if (i > 1) return Error{Errc::unsupported, "a third gated picture in a sum on a GPU"};
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

Status Recorder::concat(const Tile& tile, const Op& op) {
  const Rect& out = region(tile, op.output);
  int first = 0;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const View& view = op.inputs[i];
    const Rect& held = region(tile, view.tensor);
    const int channels = tensor(view.tensor).channels;
    const bool last = i + 1 == op.inputs.size();
    Dispatch dispatch;
    dispatch.kernel = {
        kernel("concat", view.tensor, op.output),
        constants({vectors_of(tensor(view.tensor)), vectors_of(tensor(op.output)), first, channels, last ? 1 : 0})};
    dispatch.source(0, tensor_slice(tile, view.tensor))
        .change(Place::target, tensor_slice(tile, op.output))
        .constants(ConcatPush{pair(out.left + view.left - held.left, out.top + view.top - held.top), word(held.width()),
                              size_of(out)});
    dispatch.groups = {groups(out.width(), 8), groups(out.height(), 8), word((first + channels + 3) / 4 - first / 4)};
    if (auto recorded = stream_.dispatch(dispatch); !recorded) return recorded;
    first += channels;
  }
  return ok();
}

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
  std::vector<bool> known(graph_.blobs.size(), false);
  known[at(statistic.blob)] = true;
  for (std::size_t v = 0; v < program_.vector_ops.size(); ++v) {
    const VectorOp& vector = program_.vector_ops[v];
    if (!known[at(vector.input)]) continue;
    if (auto recorded = vector_op(v); !recorded) return recorded;
    known[at(vector.output)] = true;
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

Status Recorder::read_planes(const Tile& tile, int t, Rect rect, Slice to) {
  const Rect& held = region(tile, t);
  Dispatch dispatch;
  dispatch.kernel = {"planes_out_ff", constants({tensor(t).channels})};
  dispatch.source(0, tensor_slice(tile, t)).write(Place::residual, to);
  dispatch.constants(RectPush{pair(rect.left - held.left, rect.top - held.top), word(held.width()), size_of(rect)});
  dispatch.groups = {groups(rect.width(), 64), word(rect.height()), 1};
  if (auto recorded = stream_.dispatch(dispatch); !recorded) return recorded;
  return stream_.show_host(to);
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
  if (auto recorded = stream_.dispatch(dispatch); !recorded) return recorded;
  return stream_.show_host(to);
}

}  // namespace weir::nn::vulkan
