#include "nn/cpu/packed_weights.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/round_up.hpp"

namespace weir::nn {

namespace {

using compute::AlignedArray;
using compute::Arithmetic;
using compute::Kernels;

/// Returns the position in the original n x n kernel of the value that is at (y, x) after the kernel was oriented as
/// `orientation`.
std::pair<int, int> find_source(Orientation orientation, int n, int y, int x) {
  if (orientation.mirror_rows) y = n - 1 - y;
  if (orientation.mirror_columns) x = n - 1 - x;
  if (orientation.transpose) std::swap(y, x);
  return {y, x};
}

/// Rearranges the weights [out][in][ky][kx] of a convolution (OpKind::patch) to the rows of a matrix:
/// [out][ky][kx][padded in].
std::vector<float> make_convolution_matrix(const Convolution& conv, const std::vector<float>& weight) {
  const int in = compute::padded_channels(conv.in_channels);
  const int taps = conv.kernel * conv.kernel;
  std::vector<float> matrix(static_cast<std::size_t>(conv.out_channels) * taps * in, 0.0F);
  for (int o = 0; o < conv.out_channels; ++o) {
    for (int c = 0; c < conv.in_channels; ++c) {
      for (int t = 0; t < taps; ++t) {
        matrix[(static_cast<std::size_t>(o) * taps + t) * in + c] =
            weight[(static_cast<std::size_t>(o) * conv.in_channels + c) * taps + t];
      }
    }
  }
  return matrix;
}

/// Returns the number of pixels in a square.
constexpr int area(int side) { return side * side; }

/// Returns how many output channels a phase (one of the convolutions that a transposed convolution consists of) has
/// after padding: a multiple of 16, which is a multiple of every instruction set's vector, unless the output is planar.
int phase_channels(int out) { return out <= compute::kMaxPlanarChannels ? out : round_up(out, 16); }

/// Rearranges the weights of a transposed convolution as stride * stride convolutions, the phases, each with
/// `taps` x `taps` taps: [phase][phase_channels][tap y][tap x][padded in].
/// With stride s, row s * p + r of the full result is the sum over m of kernel row r + s * m applied to input row
/// p - m. The patch of position p begins at input row p - (taps - 1), so that its tap t stands for m = taps - 1 - t.
std::vector<float> make_deconvolution_matrix(const Deconvolution& conv, const std::vector<float>& weight, int taps) {
  const int in = compute::padded_channels(conv.in_channels);
  const int stride = conv.stride;
  const int kernel = conv.kernel;
  const auto channels = static_cast<std::size_t>(phase_channels(conv.out_channels));
  std::vector<float> matrix(static_cast<std::size_t>(stride) * stride * channels * taps * taps * in, 0.0F);
  for (int phase = 0; phase < stride * stride; ++phase) {
    for (int o = 0; o < conv.out_channels; ++o) {
      for (int ty = 0; ty < taps; ++ty) {
        for (int tx = 0; tx < taps; ++tx) {
          const int ky = phase / stride + stride * (taps - 1 - ty);
          const int kx = phase % stride + stride * (taps - 1 - tx);
          if (ky >= kernel || kx >= kernel) continue;
          float* to = matrix.data() + (((static_cast<std::size_t>(phase) * channels + o) * taps + ty) * taps + tx) * in;
          for (int c = 0; c < conv.in_channels; ++c) {
            to[c] = weight[((static_cast<std::size_t>(o) * conv.in_channels + c) * kernel + ky) * kernel + kx];
          }
        }
      }
    }
  }
  return matrix;
}

/// Returns `values` (one per output channel), multiplied by `scale` and repeated for each phase.
AlignedArray<float> repeat_per_phase(const std::vector<float>& values, const PackedLayout& layout, float scale) {
  AlignedArray<float> lanes{to_index(layout.epilogue_lanes)};
  const int step = layout.phases == 1 ? 0 : phase_channels(static_cast<int>(values.size()));
  for (int p = 0; p < layout.phases; ++p) {
    for (std::size_t c = 0; c < values.size(); ++c) lanes.data()[to_index(p * step) + c] = values[c] * scale;
  }
  return lanes;
}

/// Packs what the kernels of one op read: the weights as `layout` requires, bias and slopes; for a pixel shuffle the
/// order of its channels.
PackedOp pack_op(const Layer& layer, const Op& op, const PackedLayout& layout, const Kernels& kernels,
                 Orientation orientation) {
  PackedOp packed;
  if (op.kind == OpKind::shuffle) {
    packed.shuffle_order = orient_shuffle_order(op.factor, orientation);
    return packed;
  }
  // Without a residual, alpha is multiplied into the weights: act(alpha * x) = alpha * act(x) for alpha > 0.
  const float scale = op.epilogue.has_residual ? 1.0F : op.epilogue.alpha;
  const auto& [arithmetic, points, in, out, out_padded] = layout.matrix;
  if (const auto* conv = std::get_if<Convolution>(&layer.operation)) {
    const std::vector<float> weight = orient_kernels(conv->weight, conv->kernel, orientation, scale);
    if (op.kind == OpKind::direct)
      packed.direct = compute::pack_direct(conv->out_channels, conv->in_channels, conv->kernel, weight.data());
    else if (op.kind == OpKind::conv3x3)
      packed.matrix = compute::pack_conv3x3(kernels, arithmetic, out, conv->in_channels, weight.data());
    else
      packed.matrix = compute::pack_matrix(kernels, arithmetic, out, in, make_convolution_matrix(*conv, weight).data());
  } else {
    const auto& transposed = std::get<Deconvolution>(layer.operation);
    const std::vector<float> matrix = make_deconvolution_matrix(
        transposed, orient_kernels(transposed.weight, transposed.kernel, orientation, scale), op.kernel);
    packed.matrix = compute::pack_matrix(kernels, arithmetic, out, in, matrix.data());
  }
  packed.epilogue.bias = repeat_per_phase(op.epilogue.bias, layout, scale);
  packed.epilogue.slope = repeat_per_phase(op.epilogue.slope, layout, 1.0F);
  return packed;
}

/// Returns true if pack_op() packs data for this op: weights, or the order of a pixel shuffle.
bool is_packed(const Op& op) {
  return op.kind == OpKind::conv3x3 || op.kind == OpKind::direct || op.kind == OpKind::patch ||
         op.kind == OpKind::shuffle;
}

}  // namespace

std::vector<float> orient_kernels(const std::vector<float>& weight, int n, Orientation orientation, float scale) {
  std::vector<float> result(weight.size());
  const auto kernel_size = static_cast<std::size_t>(n) * n;
  for (int y = 0; y < n; ++y) {
    for (int x = 0; x < n; ++x) {
      const auto [source_y, source_x] = find_source(orientation, n, y, x);
      const auto to = static_cast<std::size_t>(y * n + x);
      const auto from = static_cast<std::size_t>(source_y * n + source_x);
      for (std::size_t k = 0; k < weight.size() / kernel_size; ++k) {
        result[k * kernel_size + to] = weight[k * kernel_size + from] * scale;
      }
    }
  }
  return result;
}

std::vector<std::uint8_t> orient_shuffle_order(int n, Orientation orientation) {
  std::vector<std::uint8_t> order;
  for (int y = 0; y < n; ++y) {
    for (int x = 0; x < n; ++x) {
      const auto [source_y, source_x] = find_source(orientation, n, y, x);
      order.push_back(static_cast<std::uint8_t>(source_y * n + source_x));
    }
  }
  return order;
}

PackedLayout packed_layout(const Graph& graph, const Op& op, const Kernels& kernels, Arithmetic arithmetic) {
  PackedLayout layout;
  if (op.kind == OpKind::shuffle) layout.order_bytes = to_index(area(op.factor));
  // A shuffle has no weights, and op.layer of a shuffle that was joined with an addition is the addition's layer.
  if (op.kind == OpKind::shuffle || !is_packed(op)) return layout;
  const Operation& operation = graph.layers[to_index(op.layer)].operation;
  // Sets the sizes for a matrix [points][in][out].
  const auto set_matrix = [&](int points, int out, int in) {
    layout.matrix = compute::matrix_layout(kernels, arithmetic, points, out, in);
    layout.epilogue_lanes = layout.matrix.out_padded;
  };
  if (const auto* conv = std::get_if<Convolution>(&operation)) {
    const int in = compute::padded_channels(conv->in_channels);
    if (op.kind == OpKind::conv3x3) set_matrix(compute::kWinogradPoints, conv->out_channels, in);
    if (op.kind == OpKind::patch) set_matrix(1, conv->out_channels, in * area(conv->kernel));
    if (op.kind == OpKind::direct) {
      layout.direct_floats = compute::direct_weight_count(conv->out_channels, conv->in_channels, conv->kernel);
      layout.epilogue_lanes = compute::padded_channels(conv->out_channels);
    }
  } else if (const auto* transposed = std::get_if<Deconvolution>(&operation)) {
    layout.phases = area(op.factor);
    set_matrix(1, layout.phases * phase_channels(transposed->out_channels),
               compute::padded_channels(transposed->in_channels) * area(op.kernel));
  }
  return layout;
}

Bytes PackedLayout::bytes() const {
  using Floats = AlignedArray<float>;
  return matrix.bytes() + Floats::bytes_of(direct_floats) + Floats::bytes_of(to_index(epilogue_lanes)) * 2 +
         Bytes{order_bytes};
}

PackedWeights pack_weights(const Graph& graph, const Program& program, const Kernels& kernels, Arithmetic arithmetic,
                           Orientation orientation) {
  PackedWeights packed;
  packed.orientation = orientation;
  packed.arithmetic = arithmetic;
  for (const Op& op : program.ops) {
    const PackedLayout layout = packed_layout(graph, op, kernels, arithmetic);
    packed.ops.push_back(is_packed(op) ? pack_op(graph.layers[to_index(op.layer)], op, layout, kernels, orientation)
                                       : PackedOp{});
  }
  return packed;
}

Bytes packed_bytes(const Program& program, const Graph& graph, const Kernels& kernels, Arithmetic arithmetic) {
  Bytes total;
  for (const Op& op : program.ops) total += packed_layout(graph, op, kernels, arithmetic).bytes();
  return total;
}

}  // namespace weir::nn
