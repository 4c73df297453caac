#include "nn/cpu/pass_ops.hpp"

#include <algorithm>
#include <cassert>
#include <variant>

#include "nn/op_traits.hpp"

#include "base/round_up.hpp"

namespace weir::nn {

void PassOps::make(int o, Rows rows) { op(o).kind.traits->make(*this, o, rows); }

bool PassOps::met_bad_values() const {
  return std::any_of(bad_.begin(), bad_.end(), [](const Bad& bad) { return bad.seen; });
}

const Taps& PassOps::taps(const Op& op, int in, int out) {
  auto [found, fresh] = taps_.try_emplace({op.output, in, out});
  if (fresh) found->second = taps_of(std::get<Interp>(op.own), in, out);
  return found->second;
}

compute::Residual PassOps::residual_of(const Op& op) {
  compute::Residual r;
  if (!op.epilogue.has_residual) return r;
  r.present = true;
  r.stride = layout(op.epilogue.residual.tensor).stride;
  r.alpha = op.epilogue.alpha;
  r.beta = op.epilogue.beta;
  if (op.epilogue.residual.gate >= 0) r.gate = vectors_.gate(op.epilogue.residual.gate);
  return r;
}

const void* PassOps::residual_row(const Op& op, int y, int x) const {
  const View& v = op.epilogue.residual;
  return at(v.tensor, y + v.top, x + v.left);
}

compute::Target PassOps::target_of(int t) const {
  compute::Target target;
  target.planar = tensor(t).planar;
  target.stride = layout(t).stride;
  target.plane_stride = layout(t).plane_stride;
  return target;
}

void PassOps::conv3x3(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const int width = extent(t).width;
  const compute::Residual residual = residual_of(op);
  const int tile_rows = (rows.last - rows.first + 3) / 4;
  const std::size_t step = pixel(t);
  share(tile_rows, (width + 3) / 4, kernels_.group, [&](int tile_row, int first, int last, int member) {
    const int y0 = rows.first + 4 * tile_row;
    constexpr std::size_t kMostBlocks = compute::kMostConv3x3Channels / 32;
    compute::SourceBlock<6> blocks[kMostBlocks];
    std::size_t count = 0;
    for (const View& v : op.inputs) {
      const int channels = compute::padded_channels(tensor(v.tensor).channels);
      for (int c = 0; c < channels; c += 32, ++count) {
        assert(count < kMostBlocks);
        blocks[count].stride = layout(v.tensor).stride;
        for (int k = 0; k < 6; ++k) {
          blocks[count].rows[static_cast<std::size_t>(k)] =
              at(v.tensor, y0 - op.pad + k + v.top, 4 * first - op.pad + v.left) +
              static_cast<std::size_t>(c) * element(v.tensor);
        }
      }
    }
    compute::Conv3x3Job job;
    job.matrix = &packed.matrix;
    job.epilogue = &packed.epilogue;
    job.storage = plan_.storage;
    job.blocks = blocks;
    job.tiles = last - first;
    job.columns = std::min(width - 4 * first, 4 * job.tiles);
    job.rows = std::min(4, rows.last - y0);
    job.target = target_of(t);
    job.residual = residual;
    for (int r = 0; r < job.rows; ++r) {
      const auto i = static_cast<std::size_t>(r);
      job.out[i] = out_at(t, y0 + r) + static_cast<std::size_t>(4 * first) * step;
      if (residual.present) job.residual_rows[i] = residual_row(op, y0 + r, 4 * first);
    }
    job.scratch = scratch(member);
    job.bad = bad(member);
    kernels_.conv3x3(job);
  });
}

void PassOps::patch(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const View& v = op.inputs[0];
  const int width = extent(t).width;
  const int first_base = (rows.first + op.lead) / op.factor;
  const int last_base = (rows.last - 1 + op.lead) / op.factor;
  const compute::Residual residual = residual_of(op);
  const float* gate = v.gate >= 0 ? vectors_.gate(v.gate) : nullptr;
  share(last_base - first_base + 1, (width - 1 + op.lead) / op.factor + 1, kernels_.group,
        [&](int base_row, int first, int last, int member) {
          const int base = first_base + base_row;
          compute::PatchJob job;
          job.matrix = &packed.matrix;
          job.epilogue = &packed.epilogue;
          job.storage = plan_.storage;
          job.channels = compute::padded_channels(tensor(v.tensor).channels);
          job.kernel = op.kernel;
          job.stride = op.stride;
          job.factor = op.factor;
          job.out_channels = tensor(t).planar ? tensor(t).channels : round_up(tensor(t).channels, 16);
          job.stride_in = layout(v.tensor).stride;
          job.gate = gate;
          job.bases = last - first;
          job.first_column = first * op.factor - op.lead;
          job.columns = width;
          job.target = target_of(t);
          job.residual = residual;
          for (int k = 0; k < op.kernel; ++k) {
            job.rows[static_cast<std::size_t>(k)] =
                at(v.tensor, base * op.stride + op.first_tap + k + v.top, first * op.stride + op.first_tap + v.left);
          }
          for (int dy = 0; dy < op.factor; ++dy) {
            const int y = base * op.factor - op.lead + dy;
            if (y < rows.first || y >= rows.last) continue;
            job.out[static_cast<std::size_t>(dy)] = out_at(t, y);
            if (residual.present) job.residual_rows[static_cast<std::size_t>(dy)] = residual_row(op, y, 0);
          }
          job.scratch = scratch(member);
          job.bad = bad(member);
          kernels_.patch(job);
        });
}

void PassOps::direct(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const PackedOp& packed = packed_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const View& v = op.inputs[0];
  share(rows.last - rows.first, extent(t).width, 6 * 8, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    compute::DirectJob job;
    job.weights = packed.direct.data();
    job.epilogue = &packed.epilogue;
    job.storage = plan_.storage;
    job.in = tensor(v.tensor).channels;
    job.kernel = op.kernel;
    job.out = tensor(t).channels;
    job.out_padded = compute::padded_channels(job.out);
    for (int k = 0; k < op.kernel; ++k) {
      job.rows[static_cast<std::size_t>(k)] =
          reinterpret_cast<const float*>(at(v.tensor, y - op.pad + k + v.top, first - op.pad + v.left));
    }
    job.plane_stride = layout(v.tensor).plane_stride;
    job.columns = last - first;
    job.target = target_of(t);
    job.output = out_at(t, y) + static_cast<std::size_t>(first) * pixel(t);
    kernels_.direct(job);
  });
}

}  // namespace weir::nn
