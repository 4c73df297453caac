// The ops that multiply nothing by weights: sums and activations, shuffles, resizes, concatenations.

#include <algorithm>
#include <cstring>

#include "nn/cpu/pass_ops.hpp"

namespace weir::nn {

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
  if (tensor(v.tensor).planar) return shuffle_planes(o, rows);
  if (!tensor(t).planar)
    return plan_.storage == compute::Storage::half ? shuffle_features<std::uint16_t>(o, rows)
                                                   : shuffle_features<float>(o, rows);
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

/// Feature rows to feature rows, inside a network.
template <class T>
void PassOps::shuffle_features(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const View& v = op.inputs[0];
  const int f = op.factor;
  share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    const std::uint8_t* order = packed_.ops[static_cast<std::size_t>(o)].order.data() + y % f * f;
    for (int x = first; x < last; ++x) {
      const T* from = reinterpret_cast<const T*>(at(v.tensor, y / f + v.top, x / f + v.left)) + order[x % f];
      T* to = reinterpret_cast<T*>(out_at(t, y) + static_cast<std::size_t>(x) * pixel(t));
      for (int c = 0; c < tensor(t).channels; ++c) to[c] = from[c * f * f];
    }
  });
}

/// Planar rows to planar rows.
void PassOps::shuffle_planes(int o, Rows rows) {
  const Op& op = program_.ops[static_cast<std::size_t>(o)];
  const int t = op.output;
  const View& v = op.inputs[0];
  const View* base = op.inputs.size() > 1 ? &op.inputs[1] : nullptr;
  const int f = op.factor;
  const auto value = [&](const View& view, int plane, int y, int x) {
    return reinterpret_cast<const float*>(
        at(view.tensor, y + view.top, x + view.left))[plane * layout(view.tensor).plane_stride];
  };
  share(rows.last - rows.first, extent(t).width, 64, [&](int row, int first, int last, int) {
    const int y = rows.first + row;
    const std::uint8_t* order = packed_.ops[static_cast<std::size_t>(o)].order.data() + y % f * f;
    for (int c = 0; c < tensor(t).channels; ++c) {
      float* to = reinterpret_cast<float*>(out_at(t, y)) + c * layout(t).plane_stride;
      for (int x = first; x < last; ++x)
        to[x] = value(v, c * f * f + order[x % f], y / f, x / f) + (base ? value(*base, c, y / f, x / f) : 0.0F);
    }
  });
}

void PassOps::resize(const Op& op, Rows rows) {
  const int t = op.output;
  const View& v = op.inputs[0];
  if (!tensor(t).planar) return enlarge_features(op, rows);
  const Taps& across = taps(op, extent(v.tensor).width, extent(t).width);
  const Taps& down = taps(op, extent(v.tensor).height, extent(t).height);
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
