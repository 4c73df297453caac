#include "nn/cpu/packed.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/round_up.hpp"

namespace weir::nn {

namespace {

using compute::AlignedArray;
using compute::Arithmetic;
using compute::Kernels;

/// Where (y, x) of an n x n kernel is taken from when the kernel is laid as `o`.
std::pair<int, int> source_of(Orientation o, int n, int y, int x) {
  if (o.mirror_rows) y = n - 1 - y;
  if (o.mirror_columns) x = n - 1 - x;
  if (o.transpose) std::swap(y, x);
  return {y, x};
}

/// Weights of a convolution without overlap as [out][ky][kx][padded in].
std::vector<float> patch_of_convolution(const Convolution& conv, const std::vector<float>& weight) {
  const int in = compute::padded_channels(conv.in_channels);
  const int taps = conv.kernel * conv.kernel;
  std::vector<float> m(static_cast<std::size_t>(conv.out_channels) * taps * in, 0.0F);
  for (int o = 0; o < conv.out_channels; ++o) {
    for (int c = 0; c < conv.in_channels; ++c) {
      for (int t = 0; t < taps; ++t) {
        m[(static_cast<std::size_t>(o) * taps + t) * in + c] =
            weight[(static_cast<std::size_t>(o) * conv.in_channels + c) * taps + t];
      }
    }
  }
  return m;
}

/// Output channels of a phase: whole vectors of any instruction set, unless they go to planes.
int phase_channels(int out) { return out <= compute::kMostPlanarChannels ? out : round_up(out, 16); }

/// Weights of a transposed convolution as factor * factor convolutions: [phase][phase_channels][tap y][tap x][padded in].
/// Output row s * b + r of the full result gets kernel row r + s * m from input row b - m; a patch begins at row
/// b - (taps - 1), so that its tap t is m = taps - 1 - t.
std::vector<float> patch_of_deconvolution(const Deconvolution& conv, const std::vector<float>& weight, int taps) {
  const int in = compute::padded_channels(conv.in_channels);
  const int s = conv.stride;
  const int k = conv.kernel;
  const auto channels = static_cast<std::size_t>(phase_channels(conv.out_channels));
  std::vector<float> m(static_cast<std::size_t>(s) * s * channels * taps * taps * in, 0.0F);
  for (int phase = 0; phase < s * s; ++phase) {
    for (int o = 0; o < conv.out_channels; ++o) {
      for (int ty = 0; ty < taps; ++ty) {
        for (int tx = 0; tx < taps; ++tx) {
          const int ky = phase / s + s * (taps - 1 - ty);
          const int kx = phase % s + s * (taps - 1 - tx);
          if (ky >= k || kx >= k) continue;
          float* to = m.data() + (((static_cast<std::size_t>(phase) * channels + o) * taps + ty) * taps + tx) * in;
          for (int c = 0; c < conv.in_channels; ++c) {
            to[c] = weight[((static_cast<std::size_t>(o) * conv.in_channels + c) * k + ky) * k + kx];
          }
        }
      }
    }
  }
  return m;
}

/// Per output channel, repeated for each phase of a patch.
AlignedArray<float> per_lane(const std::vector<float>& values, int phases, int padded, float scale) {
  AlignedArray<float> lanes{static_cast<std::size_t>(padded)};
  const int step = phases == 1 ? 0 : phase_channels(static_cast<int>(values.size()));
  for (int p = 0; p < phases; ++p) {
    for (std::size_t c = 0; c < values.size(); ++c)
      lanes.data()[static_cast<std::size_t>(p * step) + c] = values[c] * scale;
  }
  return lanes;
}

PackedOp pack_op(const Layer& layer, const Op& op, const Kernels& kernels, Arithmetic arithmetic,
                 Orientation orientation) {
  PackedOp packed;
  if (op.kind == OpKind::shuffle) {
    packed.order = laid_order(op.factor, orientation);
    return packed;
  }
  // Without a residual the factor alpha is part of the weights: act(alpha * x) = alpha * act(x) for alpha > 0.
  const float scale = op.epilogue.has_residual ? 1.0F : op.epilogue.alpha;
  int phases = 1;
  int padded = 0;
  if (op.kind == OpKind::direct) {
    const auto& conv = std::get<Convolution>(layer.operation);
    packed.direct = compute::pack_direct(conv.out_channels, conv.in_channels, conv.kernel,
                                         laid(conv.weight, conv.kernel, orientation, scale).data());
    padded = round_up(conv.out_channels, 32);
  } else if (op.kind == OpKind::conv3x3) {
    const auto& conv = std::get<Convolution>(layer.operation);
    packed.matrix = compute::pack_conv3x3(kernels, arithmetic, conv.out_channels, conv.in_channels,
                                          laid(conv.weight, 3, orientation, scale).data());
    padded = packed.matrix.out_padded;
  } else if (const auto* conv = std::get_if<Convolution>(&layer.operation)) {
    const std::vector<float> m = patch_of_convolution(*conv, laid(conv->weight, conv->kernel, orientation, scale));
    packed.matrix = compute::pack_matrix(kernels, arithmetic, conv->out_channels,
                                         static_cast<int>(m.size()) / conv->out_channels, m.data());
    padded = packed.matrix.out_padded;
  } else {
    const auto& transposed = std::get<Deconvolution>(layer.operation);
    phases = op.factor * op.factor;
    const std::vector<float> m =
        patch_of_deconvolution(transposed, laid(transposed.weight, transposed.kernel, orientation, scale), op.kernel);
    const int out = phases * phase_channels(transposed.out_channels);
    packed.matrix = compute::pack_matrix(kernels, arithmetic, out, static_cast<int>(m.size()) / out, m.data());
    padded = packed.matrix.out_padded;
  }
  packed.epilogue.bias = per_lane(op.epilogue.bias, phases, padded, scale);
  packed.epilogue.slope = per_lane(op.epilogue.slope, phases, padded, 1.0F);
  return packed;
}

bool has_weights(const Op& op) {
  return op.kind == OpKind::conv3x3 || op.kind == OpKind::direct || op.kind == OpKind::patch ||
         op.kind == OpKind::shuffle;
}

}  // namespace

std::vector<float> laid(const std::vector<float>& weight, int n, Orientation o, float scale) {
  std::vector<float> result(weight.size());
  const auto area = static_cast<std::size_t>(n) * n;
  for (int y = 0; y < n; ++y) {
    for (int x = 0; x < n; ++x) {
      const auto [sy, sx] = source_of(o, n, y, x);
      const auto to = static_cast<std::size_t>(y) * static_cast<std::size_t>(n) + static_cast<std::size_t>(x);
      const auto from = static_cast<std::size_t>(sy) * static_cast<std::size_t>(n) + static_cast<std::size_t>(sx);
      for (std::size_t pair = 0; pair < weight.size() / area; ++pair) {
        result[pair * area + to] = weight[pair * area + from] * scale;
      }
    }
  }
  return result;
}

std::vector<std::uint8_t> laid_order(int n, Orientation orientation) {
  std::vector<std::uint8_t> order;
  for (int y = 0; y < n; ++y) {
    for (int x = 0; x < n; ++x) {
      const auto [sy, sx] = source_of(orientation, n, y, x);
      order.push_back(static_cast<std::uint8_t>(sy * n + sx));
    }
  }
  return order;
}

Packed pack(const Graph& graph, const Program& program, const Kernels& kernels, Arithmetic arithmetic,
            Orientation orientation) {
  Packed packed;
  packed.orientation = orientation;
  packed.arithmetic = arithmetic;
  packed.ops.resize(program.ops.size());
  for (std::size_t o = 0; o < program.ops.size(); ++o) {
    const Op& op = program.ops[o];
    // A shuffle that was joined with an addition names the addition's layer; it has no weights to look up.
    if (has_weights(op)) {
      packed.ops[o] = pack_op(graph.layers[static_cast<std::size_t>(op.layer)], op, kernels, arithmetic, orientation);
    }
  }
  return packed;
}

Bytes packed_bytes(const Program& program, const Graph& graph, const Kernels& kernels, Arithmetic arithmetic) {
  std::uint64_t total = 0;
  for (const Op& op : program.ops) {
    if (op.kind != OpKind::conv3x3 && op.kind != OpKind::patch) continue;
    int in = 0;
    int out = 0;
    const Layer& layer = graph.layers[static_cast<std::size_t>(op.layer)];
    if (const auto* conv = std::get_if<Convolution>(&layer.operation)) {
      in = compute::padded_channels(conv->in_channels) * (op.kind == OpKind::patch ? conv->kernel * conv->kernel : 1);
      out = conv->out_channels;
    } else if (const auto* transposed = std::get_if<Deconvolution>(&layer.operation)) {
      in = compute::padded_channels(transposed->in_channels) * op.kernel * op.kernel;
      out = phase_channels(transposed->out_channels) * op.factor * op.factor;
    }
    const std::uint64_t points = op.kind == OpKind::conv3x3 ? 36 : 1;
    const auto padded = static_cast<std::uint64_t>(round_up(out, kernels.lanes));
    total += points * padded * static_cast<std::uint64_t>(in) * (arithmetic == Arithmetic::int16 ? 2 : 4) +
             points * padded * 4;
  }
  return Bytes{total};
}

}  // namespace weir::nn
