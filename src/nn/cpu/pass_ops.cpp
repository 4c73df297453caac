#include "nn/cpu/pass_ops.hpp"

#include <algorithm>
#include <cassert>
#include <variant>

#include "nn/op_traits.hpp"

#include "base/round_up.hpp"

namespace weir::nn {

void PassOps::compute_rows(int o, RowRange rows) { op(o).kind.traits->compute_rows(*this, o, rows); }

bool PassOps::has_bad_values() const {
  return std::any_of(bad_flags_.begin(), bad_flags_.end(), [](const BadValueFlag& bad) { return bad.is_set; });
}

const Taps& PassOps::taps(const Op& op, int in, int out) {
  auto [found, is_new] = taps_.try_emplace({op.output, in, out});
  if (is_new) found->second = make_taps(std::get<Interp>(op.layer_operation), in, out);
  return found->second;
}

compute::Residual PassOps::residual_of(const Op& op) {
  compute::Residual r;
  if (!op.epilogue.has_residual) return r;
  r.present = true;
  r.pixel_stride = layout(op.epilogue.residual.tensor).stride;
  r.alpha = op.epilogue.alpha;
  r.beta = op.epilogue.beta;
  if (op.epilogue.residual.gate >= 0) r.gate = vectors_.gate_factors(op.epilogue.residual.gate);
  return r;
}

const void* PassOps::residual_address(const Op& op, int y, int x) const {
  const TensorView& v = op.epilogue.residual;
  return read_address(v.tensor, y + v.top, x + v.left);
}

compute::OutputLayout PassOps::target_of(int t) const {
  compute::OutputLayout target;
  target.planar = tensor(t).planar;
  target.pixel_stride = layout(t).stride;
  target.plane_stride = layout(t).plane_stride;
  return target;
}

void PassOps::conv3x3(int o, RowRange rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const int width = extent(t).width;
  const compute::Residual residual = residual_of(op);
  // A tile has 4 x 4 output pixels and is computed from 6 x 6 input pixels; see compute::Conv3x3Job.
  const int tile_rows = (rows.end - rows.first + 3) / 4;
  const std::size_t step = pixel_bytes(t);
  parallel_for(tile_rows, (width + 3) / 4, kernels_.group_size, [&](int tile_row, int first, int last, int member) {
    const int y0 = rows.first + 4 * tile_row;
    constexpr std::size_t kMaxBlocks = compute::kMaxConv3x3Channels / 32;
    compute::SourceBlock<6> blocks[kMaxBlocks];
    std::size_t count = 0;
    for (const TensorView& v : op.inputs) {
      const int channels = compute::padded_channels(tensor(v.tensor).channels);
      for (int c = 0; c < channels; c += 32, ++count) {
        assert(count < kMaxBlocks);
        blocks[count].pixel_stride = layout(v.tensor).stride;
        for (int k = 0; k < 6; ++k) {
          blocks[count].rows[static_cast<std::size_t>(k)] =
              read_address(v.tensor, y0 - op.pad + k + v.top, 4 * first - op.pad + v.left) +
              static_cast<std::size_t>(c) * element_bytes(v.tensor);
        }
      }
    }
    compute::Conv3x3Job job;
    job.matrix = &packed.matrix;
    job.epilogue = &packed.epilogue;
    job.element_type = plan_.element_type;
    job.blocks = blocks;
    job.tiles = last - first;
    job.columns = std::min(width - 4 * first, 4 * job.tiles);
    job.rows = std::min(4, rows.end - y0);
    job.target = target_of(t);
    job.residual = residual;
    for (int r = 0; r < job.rows; ++r) {
      const auto i = static_cast<std::size_t>(r);
      job.out[i] = write_address(t, y0 + r) + static_cast<std::size_t>(4 * first) * step;
      if (residual.present) job.residual_rows[i] = residual_address(op, y0 + r, 4 * first);
    }
    job.scratch = scratch(member);
    job.found_non_finite = bad_flag(member);
    kernels_.conv3x3(job);
  });
}

void PassOps::patch(int o, RowRange rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const TensorView& v = op.inputs[0];
  const int width = extent(t).width;
  // A base is the position of one patch; see the fields of Op for OpKind::patch.
  const int first_base = (rows.first + op.output_crop) / op.factor;
  const int last_base = (rows.end - 1 + op.output_crop) / op.factor;
  const compute::Residual residual = residual_of(op);
  const float* gate = v.gate >= 0 ? vectors_.gate_factors(v.gate) : nullptr;
  parallel_for(last_base - first_base + 1, (width - 1 + op.output_crop) / op.factor + 1, kernels_.group_size,
               [&](int base_row, int first, int last, int member) {
                 const int base = first_base + base_row;
                 compute::PatchJob job;
                 job.matrix = &packed.matrix;
                 job.epilogue = &packed.epilogue;
                 job.element_type = plan_.element_type;
                 job.channels = compute::padded_channels(tensor(v.tensor).channels);
                 job.kernel = op.kernel;
                 job.stride = op.stride;
                 job.factor = op.factor;
                 job.out_channels = tensor(t).planar ? tensor(t).channels : round_up(tensor(t).channels, 16);
                 job.pixel_stride = layout(v.tensor).stride;
                 job.gate = gate;
                 job.bases = last - first;
                 job.first_column = first * op.factor - op.output_crop;
                 job.columns = width;
                 job.target = target_of(t);
                 job.residual = residual;
                 for (int k = 0; k < op.kernel; ++k) {
                   job.rows[static_cast<std::size_t>(k)] =
                       read_address(v.tensor, base * op.stride + op.first_tap + k + v.top,
                                    first * op.stride + op.first_tap + v.left);
                 }
                 for (int dy = 0; dy < op.factor; ++dy) {
                   const int y = base * op.factor - op.output_crop + dy;
                   if (y < rows.first || y >= rows.end) continue;
                   job.out[static_cast<std::size_t>(dy)] = write_address(t, y);
                   if (residual.present) job.residual_rows[static_cast<std::size_t>(dy)] = residual_address(op, y, 0);
                 }
                 job.scratch = scratch(member);
                 job.found_non_finite = bad_flag(member);
                 kernels_.patch(job);
               });
}

void PassOps::direct(int o, RowRange rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const TensorView& v = op.inputs[0];
  // The grain is a multiple of the columns that the kernels of each instruction set compute at once: 6, 4 or 2.
  parallel_for(rows.end - rows.first, extent(t).width, 6 * 8, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    compute::DirectJob job;
    job.weights = packed.direct.data();
    job.epilogue = &packed.epilogue;
    job.element_type = plan_.element_type;
    job.in = tensor(v.tensor).channels;
    job.kernel = op.kernel;
    job.out = tensor(t).channels;
    job.out_padded = compute::padded_channels(job.out);
    for (int k = 0; k < op.kernel; ++k) {
      job.rows[static_cast<std::size_t>(k)] =
          reinterpret_cast<const float*>(read_address(v.tensor, y - op.pad + k + v.top, first - op.pad + v.left));
    }
    job.plane_stride = layout(v.tensor).plane_stride;
    job.columns = last - first;
    job.target = target_of(t);
    job.output = write_address(t, y) + static_cast<std::size_t>(first) * pixel_bytes(t);
    kernels_.direct(job);
  });
}

}  // namespace weir::nn
