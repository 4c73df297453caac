#include "compute/kernels/conv/conv_ref.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace weir::compute {

namespace {

// The convolution is computed in blocks of kChannels output channels and kPixels output pixels of a row. The sums of a
// block stay in registers. The additions for one value have the same order as without blocks.
using Lanes [[gnu::vector_size(16)]] = float;
constexpr int kLanes = 4;
constexpr int kVectors = 2;  // vectors of pixels in a block
constexpr int kPixels = kLanes * kVectors;
constexpr int kChannels = 4;
using Sums = std::array<std::array<Lanes, kVectors>, kChannels>;  // [channel][vector of pixels]

/// Returns a copy with `pad` zeros on each side, and more zeros on the right, which a block reads if it reaches beyond
/// the last output column.
Planes add_padding(const Planes& in, int pad, int stride) {
  Planes out{in.channels, in.height + 2 * pad, in.width + 2 * pad + kPixels * stride};
  for (int c = 0; c < in.channels; ++c) {
    for (int y = 0; y < in.height; ++y) std::ranges::copy(in.row(c, y), out.row(c, y + pad).begin() + pad);
  }
  return out;
}

/// Returns the weights of kChannels outputs from output `first` on, [c, y, x, kChannels]; zeros for outputs that do not
/// exist. `per_output` is the number of weights of an output.
std::vector<float> interleave_weights(std::span<const float> weight, int first, int outputs, std::size_t per_output) {
  std::vector<float> block(per_output * kChannels);
  for (int o = 0; o < kChannels && first + o < outputs; ++o) {
    for (std::size_t i = 0; i < per_output; ++i) block[i * kChannels + o] = weight[(first + o) * per_output + i];
  }
  return block;
}

/// Loads kLanes values; the address of each is `stride` floats after that of the one before.
Lanes load(const float* from, int stride) {
  Lanes lanes;
  if (stride == 1) {
    std::memcpy(&lanes, from, sizeof lanes);
  } else {
    lanes = Lanes{from[0], from[stride], from[2 * stride], from[3 * stride]};
  }
  return lanes;
}

/// Adds the products for the block whose first output pixel is (y, x) to the sums in `result`. `in` is a result of
/// add_padding(), `weight` of interleave_weights(). If kStride is 0, the stride is geometry.stride.
template <int kStride>
void add_products(const Planes& in, const ConvGeometry& geometry, const std::vector<float>& weight, int y, int x,
                  Sums& result) {
  Sums sums = result;  // a local copy, so that the compiler keeps it in registers
  const int stride = kStride > 0 ? kStride : geometry.stride;
  const float* w = weight.data();
  for (int c = 0; c < in.channels; ++c) {
    for (int ky = 0; ky < geometry.kernel; ++ky) {
      const float* row = in.row(c, y * stride + ky).data() + static_cast<std::ptrdiff_t>(x) * stride;
      for (int kx = 0; kx < geometry.kernel; ++kx, w += kChannels) {
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) {
          const Lanes pixels = load(row + v * kLanes * stride + kx, stride);
#pragma GCC unroll 4
          for (int o = 0; o < kChannels; ++o) sums[o][v] += w[o] * pixels;
        }
      }
    }
  }
  result = sums;
}

/// Stores the sums of one channel in the row from column x on, at most up to the end of the row.
void store(const std::array<Lanes, kVectors>& sums, std::span<float> row, int x) {
  const auto pixels = std::min<std::size_t>(kPixels, row.size() - static_cast<std::size_t>(x));
  std::memcpy(row.data() + x, sums.data(), pixels * sizeof(float));
}

}  // namespace

Planes conv_ref(const Planes& in, const ConvGeometry& geometry, std::span<const float> weight,
                std::span<const float> bias) {
  const int kernel = geometry.kernel;
  const std::size_t per_output = static_cast<std::size_t>(in.channels) * kernel * kernel;
  assert(in.height + 2 * geometry.pad >= kernel && in.width + 2 * geometry.pad >= kernel);
  assert(weight.size() == per_output * geometry.out_channels);
  assert(bias.size() == static_cast<std::size_t>(geometry.out_channels));

  Planes out{geometry.out_channels, (in.height + 2 * geometry.pad - kernel) / geometry.stride + 1,
             (in.width + 2 * geometry.pad - kernel) / geometry.stride + 1};
  const Planes source = add_padding(in, geometry.pad, geometry.stride);
  for (int first = 0; first < out.channels; first += kChannels) {
    const std::vector<float> block = interleave_weights(weight, first, out.channels, per_output);
    const int channels = std::min(kChannels, out.channels - first);
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; x += kPixels) {
        Sums sums{};
        for (int o = 0; o < channels; ++o) sums[o].fill(Lanes{} + bias[first + o]);
        geometry.stride == 1 ? add_products<1>(source, geometry, block, y, x, sums)
                             : add_products<0>(source, geometry, block, y, x, sums);
        for (int o = 0; o < channels; ++o) store(sums[o], out.row(first + o, y), x);
      }
    }
  }
  return out;
}

}  // namespace weir::compute
