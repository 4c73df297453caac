#include "nn/vulkan/recorder.hpp"

#include <algorithm>
#include <cassert>
#include <utility>
#include <variant>

#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

using compute::vulkan::Place;

namespace {

static_assert(kMostParts <= compute::vulkan::kMostSources, "what conv.comp has");

struct ConvPush {
  std::uint32_t part_offset[kMostParts]{}, part_extent[kMostParts]{};
  std::uint32_t target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};
struct DeconvPush {
  std::uint32_t offset = 0, extent = 0, phase = 0, target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};

/// Records `dispatch` row by row in pieces, if it is more than half of what a submission may hold: `rows` is set in its
/// push constants before each.
template <class Push>
Status in_pieces(compute::vulkan::Stream& stream, compute::vulkan::Dispatch dispatch, Push push, const Rect& out,
                 double per_pixel, int rows_per_invocation) {
  const double per_row = std::max(per_pixel * out.width(), 1.0);
  const int least = 8 * rows_per_invocation;
  const double rows = stream.max_multiplications() / 2 / per_row;
  const int most = std::max(least, static_cast<int>(std::min(rows, 32768.0)) / least * least);
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
  std::vector<int> part_vectors(kMostParts, 0);
  assert(op.inputs.size() <= kMostParts);
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

}  // namespace weir::nn::vulkan
