#include "nn/cpu/pass_ops.hpp"

#include <algorithm>
#include <cassert>
#include <variant>

#include "base/round_up.hpp"
#include "nn/op_traits.hpp"

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
  compute::Residual residual;
  if (!op.epilogue.has_residual) return residual;
  residual.present = true;
  residual.pixel_stride = layout(op.epilogue.residual.tensor).stride;
  residual.alpha = op.epilogue.alpha;
  residual.beta = op.epilogue.beta;
  if (op.epilogue.residual.gate >= 0) residual.gate = vectors_.gate_factors(op.epilogue.residual.gate);
  return residual;
}

const void* PassOps::residual_address(const Op& op, int y, int x) const {
  const TensorView& view = op.epilogue.residual;
  return read_address(view.tensor, y + view.top, x + view.left);
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
  const int output = op.output;
  const int width = extent(output).width;
  const compute::Residual residual = residual_of(op);
  // A tile has 4 x 4 output pixels and is computed from 6 x 6 input pixels; see compute::Conv3x3Job.
  const int tile_rows = (rows.end - rows.first + 3) / 4;
  const int tile_columns = (width + 3) / 4;
  parallel_for(tile_rows, tile_columns, kernels_.group_size, [&](int tile_row, int first, int last, int member) {
    // The first output row and column of tiles first..last-1.
    const int top = rows.first + 4 * tile_row;
    const int left = 4 * first;
    constexpr std::size_t kMaxBlocks = compute::kMaxConv3x3Channels / 32;
    compute::SourceBlock<6> blocks[kMaxBlocks];
    std::size_t block_count = 0;
    for (const TensorView& view : op.inputs) {
      const int channels = compute::padded_channels(tensor(view.tensor).channels);
      for (int c = 0; c < channels; c += 32, ++block_count) {
        assert(block_count < kMaxBlocks);
        blocks[block_count].pixel_stride = layout(view.tensor).stride;
        for (int k = 0; k < 6; ++k) {
          blocks[block_count].rows[static_cast<std::size_t>(k)] =
              read_address(view.tensor, top - op.pad + k + view.top, left - op.pad + view.left) +
              static_cast<std::size_t>(c) * element_bytes(view.tensor);
        }
      }
    }
    compute::Conv3x3Job job;
    job.matrix = &packed.matrix;
    job.epilogue = &packed.epilogue;
    job.element_type = plan_.element_type;
    job.blocks = blocks;
    job.tiles = last - first;
    job.columns = std::min(width - left, 4 * job.tiles);
    job.rows = std::min(4, rows.end - top);
    job.target = target_of(output);
    job.residual = residual;
    for (int row = 0; row < job.rows; ++row) {
      const auto i = static_cast<std::size_t>(row);
      job.out[i] = write_address(output, top + row) + static_cast<std::size_t>(left) * pixel_bytes(output);
      if (residual.present) job.residual_rows[i] = residual_address(op, top + row, left);
    }
    job.scratch = scratch(member);
    job.found_non_finite = bad_flag(member);
    kernels_.conv3x3(job);
  });
}

void PassOps::patch(int o, RowRange rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int output = op.output;
  const TensorView& view = op.inputs[0];
  const int width = extent(output).width;
  // The fields of Op explain the positions of OpKind::patch.
  const int first_position_row = (rows.first + op.output_crop) / op.factor;
  const int last_position_row = (rows.end - 1 + op.output_crop) / op.factor;
  const int positions_per_row = (width - 1 + op.output_crop) / op.factor + 1;
  const compute::Residual residual = residual_of(op);
  const float* gate = view.gate >= 0 ? vectors_.gate_factors(view.gate) : nullptr;
  parallel_for(last_position_row - first_position_row + 1, positions_per_row, kernels_.group_size,
               [&](int row, int first, int last, int member) {
                 const int position_row = first_position_row + row;
                 compute::PatchJob job;
                 job.matrix = &packed.matrix;
                 job.epilogue = &packed.epilogue;
                 job.element_type = plan_.element_type;
                 job.channels = compute::padded_channels(tensor(view.tensor).channels);
                 job.kernel = op.kernel;
                 job.stride = op.stride;
                 job.factor = op.factor;
                 job.out_channels =
                     tensor(output).planar ? tensor(output).channels : round_up(tensor(output).channels, 16);
                 job.pixel_stride = layout(view.tensor).stride;
                 job.gate = gate;
                 job.positions = last - first;
                 job.first_column = first * op.factor - op.output_crop;
                 job.columns = width;
                 job.target = target_of(output);
                 job.residual = residual;
                 for (int k = 0; k < op.kernel; ++k) {
                   job.rows[static_cast<std::size_t>(k)] =
                       read_address(view.tensor, position_row * op.stride + op.first_tap + k + view.top,
                                    first * op.stride + op.first_tap + view.left);
                 }
                 for (int dy = 0; dy < op.factor; ++dy) {
                   const int y = position_row * op.factor - op.output_crop + dy;
                   if (y < rows.first || y >= rows.end) continue;
                   job.out[static_cast<std::size_t>(dy)] = write_address(output, y);
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
  const int output = op.output;
  const TensorView& view = op.inputs[0];
  // A multiple of the columns that the kernels of each instruction set compute at once: 6, 4 or 2.
  constexpr int kGrain = 48;
  parallel_for(rows.end - rows.first, extent(output).width, kGrain, [&](int row, int first, int last, int /*member*/) {
    const int y = rows.first + row;
    compute::DirectJob job;
    job.weights = packed.direct.data();
    job.epilogue = &packed.epilogue;
    job.element_type = plan_.element_type;
    job.in = tensor(view.tensor).channels;
    job.kernel = op.kernel;
    job.out = tensor(output).channels;
    job.out_padded = compute::padded_channels(job.out);
    for (int k = 0; k < op.kernel; ++k) {
      job.rows[static_cast<std::size_t>(k)] = reinterpret_cast<const float*>(
          read_address(view.tensor, y - op.pad + k + view.top, first - op.pad + view.left));
    }
    job.plane_stride = layout(view.tensor).plane_stride;
    job.columns = last - first;
    job.target = target_of(output);
    job.output = write_address(output, y) + static_cast<std::size_t>(first) * pixel_bytes(output);
    kernels_.direct(job);
  });
}

}  // namespace weir::nn
