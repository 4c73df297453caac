// The op `shuffle`: pixel shuffle, plus an optional second input enlarged by nearest neighbour. Lowers the layer
// PixelShuffle to it.

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"

namespace weir::nn {

namespace {

RowRange shuffle_input_rows(const Op& op, RowRange out, const AxisExtents&) {
  return {out.first / op.factor, (out.end - 1) / op.factor + 1};
}

/// Returns the end of a step that consists of whole blocks of `factor` rows.
int shuffle_step_end(const Op& op, int first, int band) {
  return (first / op.factor + std::max(1, band / op.factor)) * op.factor;
}

/// Computes a pixel shuffle from feature rows to feature rows. T has the size of a value; values are only copied.
template <class T>
void shuffle_features(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const TensorView& source = op.inputs[0];
  const int factor = op.factor;
  const int width = pass.extent(output).width;
  pass.parallel_for(
      rows.end - rows.first, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
        const int y = rows.first + row;
        const std::uint8_t* order = pass.packed(o).shuffle_order.data() + y % factor * factor;
        for (int x = first; x < last; ++x) {
          const T* from = reinterpret_cast<const T*>(
                              pass.read_address(source.tensor, y / factor + source.top, x / factor + source.left)) +
                          order[x % factor];
          T* to = reinterpret_cast<T*>(pass.write_address(output, y) +
                                       static_cast<std::size_t>(x) * pass.pixel_bytes(output));
          for (int c = 0; c < pass.tensor(output).channels; ++c) to[c] = from[c * factor * factor];
        }
      });
}

/// Computes a pixel shuffle from planar rows to planar rows; adds the second input, enlarged by nearest neighbour, if
/// the op has one.
void shuffle_planes(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const TensorView& source = op.inputs[0];
  const TensorView* added = op.inputs.size() > 1 ? &op.inputs[1] : nullptr;
  const int factor = op.factor;
  const auto value = [&](const TensorView& view, int plane, int y, int x) {
    return reinterpret_cast<const float*>(
        pass.read_address(view.tensor, y + view.top, x + view.left))[plane * pass.layout(view.tensor).plane_stride];
  };
  const int width = pass.extent(output).width;
  pass.parallel_for(
      rows.end - rows.first, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
        const int y = rows.first + row;
        const std::uint8_t* order = pass.packed(o).shuffle_order.data() + y % factor * factor;
        for (int c = 0; c < pass.tensor(output).channels; ++c) {
          float* to = reinterpret_cast<float*>(pass.write_address(output, y)) + c * pass.layout(output).plane_stride;
          for (int x = first; x < last; ++x)
            to[x] = value(source, c * factor * factor + order[x % factor], y / factor, x / factor) +
                    (added ? value(*added, c, y / factor, x / factor) : 0.0F);
        }
      });
}

/// Computes rows of the op with index `o`. From feature rows to planar rows, the most frequent case, a kernel computes
/// whole blocks of `factor` rows.
void compute_shuffle(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const TensorView& source = op.inputs[0];
  if (pass.tensor(source.tensor).planar) return shuffle_planes(pass, o, rows);
  if (!pass.tensor(output).planar)
    return pass.element_type() == compute::ElementType::float16 ? shuffle_features<std::uint16_t>(pass, o, rows)
                                                                : shuffle_features<float>(pass, o, rows);
  const int first_row = rows.first / op.factor;
  // The rows and columns of the input.
  const int row_count = (rows.end - rows.first) / op.factor;
  const int width = pass.extent(source.tensor).width - source.left;
  pass.parallel_for(row_count, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
    const int y = first_row + row;
    compute::ShuffleJob job;
    job.element_type = pass.element_type();
    job.in = pass.read_address(source.tensor, y + source.top, source.left);
    job.pixel_stride = pass.layout(source.tensor).stride;
    job.factor = op.factor;
    job.planes = pass.tensor(output).channels;
    job.order = pass.packed(o).shuffle_order.data();
    if (op.inputs.size() > 1) {
      const TensorView& added = op.inputs[1];
      job.base = reinterpret_cast<const float*>(pass.read_address(added.tensor, y + added.top, added.left));
      job.base_plane_stride = pass.layout(added.tensor).plane_stride;
    }
    for (int dy = 0; dy < op.factor; ++dy) {
      job.out[static_cast<std::size_t>(dy)] = reinterpret_cast<float*>(pass.write_address(output, y * op.factor + dy));
    }
    job.plane_stride = pass.layout(output).plane_stride;
    job.first = first;
    job.last = std::min(last, pass.extent(output).width / op.factor);
    pass.kernels().shuffle(job);
  });
}

constexpr OpTraits kShuffle{
    .name = "shuffle", .input_rows = shuffle_input_rows, .step_end = shuffle_step_end, .compute_rows = compute_shuffle};

}  // namespace

const OpKind OpKind::shuffle{&kShuffle};

Status PixelShuffle::lower(Lowering& lowering, const Layer& layer) const {
  const LoweredBlob& in = lowering.lowered_blob(layer.inputs[0]);
  if (in.parts.size() != 1) return lowering.unsupported("a pixel shuffle of a concatenation");
  if (in.parts[0].gate >= 0) return lowering.unsupported("a pixel shuffle of a gated input");
  if (factor > compute::kMaxShuffleFactor) {
    return lowering.unsupported(
        fmt::format("a pixel shuffle of factor {}; supported: up to {}", factor, compute::kMaxShuffleFactor));
  }
  Op shuffle;
  shuffle.kind = OpKind::shuffle;
  shuffle.inputs = in.parts;
  shuffle.factor = factor;
  lowering.emit(std::move(shuffle), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
