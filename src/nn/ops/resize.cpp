// The op `resize`. Lowers the layer Interp to it.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <variant>

#include "compute/kernels/kernels.hpp"
#include "nn/cpu/pass_ops.hpp"
#include "nn/lowering.hpp"
#include "nn/op_traits.hpp"
#include "nn/taps.hpp"

namespace weir::nn {

namespace {

RowRange resize_input_rows(const Op& op, RowRange out, const AxisExtents& axis) {
  const auto& interp = std::get<Interp>(op.layer_operation);
  return {find_first_tap(interp, axis.input, axis.output, out.first),
          find_first_tap(interp, axis.input, axis.output, out.end - 1) + tap_count(interp.kind)};
}

/// Enlarges feature rows by a whole factor with nearest neighbour, by copying pixels.
void enlarge_features(PassOps& pass, const Op& op, RowRange rows) {
  const int output = op.output;
  const TensorView& source = op.inputs[0];
  const int factor = static_cast<int>(std::get<Interp>(op.layer_operation).scale);
  const std::size_t pixel_bytes = pass.pixel_bytes(output);
  const int width = pass.extent(output).width;
  pass.parallel_for(
      rows.end - rows.first, width, PassOps::kColumnGrain, [&](int row, int first, int last, int /*member*/) {
        const int y = rows.first + row;
        std::byte* to = pass.write_address(output, y);
        for (int x = first; x < last; ++x) {
          std::memcpy(to + static_cast<std::size_t>(x) * pixel_bytes,
                      pass.read_address(source.tensor, y / factor + source.top, x / factor + source.left), pixel_bytes);
        }
      });
}

void compute_resize(PassOps& pass, int o, RowRange rows) {
  const Op& op = pass.op(o);
  const int output = op.output;
  const TensorView& source = op.inputs[0];
  if (!pass.tensor(output).planar) return enlarge_features(pass, op, rows);
  const Taps& column_taps = pass.taps(op, pass.extent(source.tensor).width, pass.extent(output).width);
  const Taps& row_taps = pass.taps(op, pass.extent(source.tensor).height, pass.extent(output).height);
  const int height = pass.extent(source.tensor).height;
  const int width = pass.extent(output).width;
  pass.parallel_for(rows.end - rows.first, width, PassOps::kColumnGrain, [&](int row, int first, int last, int member) {
    const int y = rows.first + row;
    compute::ResizeJob job;
    job.taps = column_taps.count;
    for (int k = 0; k < job.taps; ++k) {
      const auto i = static_cast<std::size_t>(k);
      const int from = std::clamp(row_taps.index[static_cast<std::size_t>(y)] + k, 0, height - 1);
      job.in[i] = reinterpret_cast<const float*>(pass.read_address(source.tensor, from + source.top, source.left));
      job.row_weight[i] = row_taps.weight[static_cast<std::size_t>(y) * static_cast<std::size_t>(job.taps) + i];
    }
    job.in_plane_stride = pass.layout(source.tensor).plane_stride;
    job.width = pass.extent(source.tensor).width;
    job.index = column_taps.index.data();
    job.weight = column_taps.weight.data();
    job.out = reinterpret_cast<float*>(pass.write_address(output, y));
    job.out_plane_stride = pass.layout(output).plane_stride;
    job.planes = pass.tensor(output).channels;
    job.first = first;
    job.last = last;
    job.scratch = reinterpret_cast<float*>(pass.scratch(member));
    pass.kernels().resize_row(job);
  });
}

constexpr OpTraits kResize{.name = "resize", .input_rows = resize_input_rows, .compute_rows = compute_resize};

}  // namespace

const OpKind OpKind::resize{&kResize};

Status Interp::lower(Lowering& lowering, const Layer& layer) const {
  const LoweredBlob& in = lowering.lowered_blob(layer.inputs[0]);
  if (in.parts.size() != 1) return lowering.unsupported("a resize of a concatenation");
  if (in.parts[0].gate >= 0) return lowering.unsupported("a resize of a gated input");
  if (auto status = lowering.check_not_cropped(in.parts); !status) return status;
  const bool only_copies_pixels = kind == Interp::Kind::nearest && scale == std::floor(scale);
  if (!only_copies_pixels && !lowering.tensor(in.parts[0].tensor).planar)
    return lowering.unsupported("a resize of more than four channels that is not nearest neighbour by a whole factor");
  Op resize;
  resize.kind = OpKind::resize;
  resize.inputs = in.parts;
  resize.layer_operation = *this;
  lowering.emit(std::move(resize), layer.outputs[0]);
  return ok();
}

}  // namespace weir::nn
