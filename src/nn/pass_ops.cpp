#include "nn/pass_ops.hpp"

#include <algorithm>
#include <cstring>

namespace weir::nn {

void PassOps::make(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  switch (op.kind) {
    case OpKind::input:
      break;
    case OpKind::conv3x3:
      conv3x3(o, rows);
      break;
    case OpKind::patch:
      patch(o, rows);
      break;
    case OpKind::direct:
      direct(o, rows);
      break;
    case OpKind::combine:
      combine(op, rows);
      break;
    case OpKind::shuffle:
      shuffle(o, rows);
      break;
    case OpKind::resize:
      resize(op, rows);
      break;
    case OpKind::concat:
      concat(op, rows);
      break;
  }
}

bool PassOps::met_bad_values() const {
  return std::any_of(bad_.begin(), bad_.end(), [](const Bad& bad) { return bad.seen; });
}

const Taps& PassOps::taps(const Op& op, int out) {
  auto [found, fresh] = taps_.try_emplace({op.output, out});
  if (fresh) found->second = taps_of(op.interp, out);
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
    compute::SourceBlock<6> blocks[64];
    std::size_t count = 0;
    for (const View& v : op.inputs) {
      const int channels = compute::padded_channels(tensor(v.tensor).channels);
      for (int c = 0; c < channels && count < 64; c += 32, ++count) {
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
          job.out_channels = tensor(t).planar ? tensor(t).channels : (tensor(t).channels + 15) / 16 * 16;
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

void PassOps::combine(const Op& op, Rows rows) {
  const int t = op.output;
  const bool planar = tensor(t).planar;
  const int planes = planar ? tensor(t).channels : 1;
  const int per_pixel = planar ? 1 : layout(t).stride;
  compute::CombineJob model;
  model.element = planar ? compute::Storage::single : plan_.storage;
  model.inputs = static_cast<int>(op.inputs.size());
  model.channels = per_pixel;
  model.constant = op.constant;
  model.slope = 1;
  using Kind = Activation::Kind;
  if (op.activation.kind == Kind::relu) model.slope = 0;
  if (op.activation.kind == Kind::leaky_relu) model.slope = op.activation.a;
  if (op.activation.kind == Kind::clip) {
    model.clip = true;
    model.low = op.activation.a;
    model.high = op.activation.b;
  }
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    model.coefficient[i] = op.coefficient[i];
    if (op.inputs[i].gate >= 0) model.gate[i] = vectors_.gate(op.inputs[i].gate);
  }
  share((rows.last - rows.first) * planes, extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row / planes;
    const int plane = row % planes;
    compute::CombineJob job = model;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const View& v = op.inputs[i];
      job.in[i] =
          at(v.tensor, y + v.top, first + v.left) +
          static_cast<std::size_t>(plane) * static_cast<std::size_t>(layout(v.tensor).plane_stride) * sizeof(float);
      if (planar && v.gate >= 0) {
        job.coefficient[i] *= model.gate[i][plane];
        job.gate[i] = nullptr;
      }
    }
    job.out = out_at(t, y) +
              static_cast<std::size_t>(plane) * static_cast<std::size_t>(layout(t).plane_stride) * sizeof(float) +
              static_cast<std::size_t>(first) * static_cast<std::size_t>(per_pixel) * element(t);
    job.count = (last - first) * per_pixel;
    kernels_.combine(job);
  });
}

void PassOps::shuffle(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const View& v = op.inputs[0];
  const int first_row = rows.first / op.factor;
  share((rows.last - rows.first) / op.factor, extent(v.tensor).width - v.left, 64,
        [&](int row, int first, int last, int) {
          const int y = first_row + row;
          compute::ShuffleJob job;
          job.storage = plan_.storage;
          job.in = at(v.tensor, y + v.top, v.left);
          job.stride = layout(v.tensor).stride;
          job.factor = op.factor;
          job.planes = tensor(t).channels;
          job.order = packed_.ops[static_cast<std::size_t>(o)].order.data();
          if (op.inputs.size() > 1) {
            const View& base = op.inputs[1];
            job.base = reinterpret_cast<const float*>(at(base.tensor, y + base.top, base.left));
            job.base_plane_stride = layout(base.tensor).plane_stride;
          }
          for (int dy = 0; dy < op.factor; ++dy) {
            job.out[static_cast<std::size_t>(dy)] = reinterpret_cast<float*>(out_at(t, y * op.factor + dy));
          }
          job.plane_stride = layout(t).plane_stride;
          job.first = first;
          job.last = std::min(last, extent(t).width / op.factor);
          kernels_.shuffle(job);
        });
}

void PassOps::resize(const Op& op, Rows rows) {
  const int t = op.output;
  const View& v = op.inputs[0];
  if (!tensor(t).planar) return enlarge_features(op, rows);
  const Taps& across = taps(op, extent(t).width);
  const Taps& down = taps(op, extent(t).height);
  const int height = extent(v.tensor).height;
  share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int member) {
    const int y = rows.first + row;
    compute::ResizeJob job;
    job.taps = across.count;
    for (int k = 0; k < job.taps; ++k) {
      const auto i = static_cast<std::size_t>(k);
      const int from = std::clamp(down.index[static_cast<std::size_t>(y)] + k, 0, height - 1);
      job.in[i] = reinterpret_cast<const float*>(at(v.tensor, from + v.top, v.left));
      job.row_weight[i] = down.weight[static_cast<std::size_t>(y) * static_cast<std::size_t>(job.taps) + i];
    }
    job.in_plane_stride = layout(v.tensor).plane_stride;
    job.width = extent(v.tensor).width;
    job.index = across.index.data();
    job.weight = across.weight.data();
    job.out = reinterpret_cast<float*>(out_at(t, y));
    job.out_plane_stride = layout(t).plane_stride;
    job.planes = tensor(t).channels;
    job.first = first;
    job.last = last;
    job.scratch = reinterpret_cast<float*>(scratch(member));
    kernels_.resize_row(job);
  });
}

/// Nearest neighbour, a whole factor, on feature rows: pixels are copied.
void PassOps::enlarge_features(const Op& op, Rows rows) {
  const int t = op.output;
  const View& v = op.inputs[0];
  const int factor = static_cast<int>(op.interp.scale);
  const std::size_t step = pixel(t);
  share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    std::byte* to = out_at(t, y);
    for (int x = first; x < last; ++x) {
      std::memcpy(to + static_cast<std::size_t>(x) * step, at(v.tensor, y / factor + v.top, x / factor + v.left), step);
    }
  });
}

void PassOps::concat(const Op& op, Rows rows) {
  const int t = op.output;
  const std::size_t step = pixel(t);
  share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    std::size_t offset = 0;
    for (const View& v : op.inputs) {
      const std::size_t bytes = static_cast<std::size_t>(tensor(v.tensor).channels) * element(t);
      for (int x = first; x < last; ++x) {
        std::memcpy(out_at(t, y) + static_cast<std::size_t>(x) * step + offset, at(v.tensor, y + v.top, x + v.left),
                    bytes);
      }
      offset += bytes;
    }
  });
}

}  // namespace weir::nn
