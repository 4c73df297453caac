#include "compute/kernels/deconv/deconv_ref.hpp"

namespace weir::compute {

namespace {

/// Returns the input with stride - 1 zeros between adjacent pixels.
Planes insert_zeros(const Planes& in, int stride) {
  Planes out{in.channels, (in.height - 1) * stride + 1, (in.width - 1) * stride + 1};
  for (int c = 0; c < in.channels; ++c) {
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) out.at(c, y * stride, x * stride) = in.at(c, y, x);
    }
  }
  return out;
}

/// Returns the weights with every kernel rotated by 180 degrees.
std::vector<float> rotate_kernels(std::span<const float> weight, int kernel) {
  const std::size_t area = static_cast<std::size_t>(kernel) * kernel;
  std::vector<float> out(weight.size());
  for (std::size_t i = 0; i < weight.size(); ++i) out[i / area * area + (area - 1 - i % area)] = weight[i];
  return out;
}

}  // namespace

// A transposed convolution is the cross-correlation of the input, with zeros inserted, with the rotated kernel. The
// products with zeros cost time, but transposed convolutions are a small part of every network.
Planes deconv_ref(const Planes& in, const ConvGeometry& geometry, std::span<const float> weight,
                  std::span<const float> bias) {
  assert(geometry.pad < geometry.kernel);
  const ConvGeometry unit_stride{geometry.out_channels, geometry.kernel, 1, geometry.kernel - 1 - geometry.pad};
  return conv_ref(insert_zeros(in, geometry.stride), unit_stride, rotate_kernels(weight, geometry.kernel), bias);
}

}  // namespace weir::compute
