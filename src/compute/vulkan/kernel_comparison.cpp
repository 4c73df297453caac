#include "compute/vulkan/kernel_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "compute/half.hpp"

namespace weir::compute::vulkan {

namespace {

// Width and height are no multiples of the size of a workgroup, and the taps at the edges reach beyond the source, so
// that edges are tested too.
constexpr std::uint32_t kWidth = 37;
constexpr std::uint32_t kHeight = 21;
constexpr std::uint32_t kInChannels = 32;
constexpr std::uint32_t kOutChannels = 64;

/// Returns the bits of `count` random float16 values from -range to range.
std::vector<std::uint16_t> random_halves(std::size_t count, float range, std::uint32_t seed) {
  std::vector<std::uint16_t> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;                                  // Numerical Recipes' quick generator
    const float unit = static_cast<float>(seed >> 8) / 8388608.0F - 1.0F;  // 24 random bits, as -1 to 1
    values.push_back(float_to_half(unit * range));
  }
  return values;
}

/// The push constants of conv.comp and conv3x3_matrix.comp.
struct Push {
  std::uint32_t part_offset[8]{}, part_extent[8]{};
  std::uint32_t target_extent = 0, rows = 0, residual_offset = 0, residual_width = 0;
  float alpha = 1, beta = 1;
};

/// Packs two 16-bit numbers into a word, as kernels/vulkan/interface.glsl defines.
std::uint32_t pack_pair(std::uint32_t x, std::uint32_t y) { return (x & 0xFFFFU) | (y << 16); }

/// Returns the execution of a 3x3 convolution with a border of zeros, from `features` [kHeight][kWidth][kInChannels] to
/// `target` [kHeight][kWidth][kOutChannels].
Dispatch convolution_dispatch(std::string_view shader, Slice features, Slice weights, Slice parameters, Slice target) {
  Push push;
  push.part_offset[0] = pack_pair(0xFFFF, 0xFFFF);  // (-1, -1): where the taps of output pixel (0, 0) begin
  push.part_extent[0] = push.target_extent = pack_pair(kWidth, kHeight);
  push.rows = pack_pair(0, kHeight);
  Dispatch dispatch;
  // The constants of conv.comp: KERNEL, STRIDE, PARTS, OUT_VECTORS, three flags that are false, IN_VECTORS, V0 ... V7.
  dispatch.kernel = {shader,
                     {3, 1, 1, kOutChannels / 4, 0, 0, 0, kInChannels / 4, kInChannels / 4, 0, 0, 0, 0, 0, 0, 0}};
  dispatch.source(0, features).read(BindingSlot::weights, weights).read(BindingSlot::parameters, parameters);
  dispatch.write(BindingSlot::target, target).push_constants(push);
  // A workgroup of conv.comp computes 32x16 pixels of 4 channels; one of conv3x3_matrix.comp, 16x8 pixels of 64
  // channels.
  if (shader.starts_with("conv_")) {
    dispatch.groups = {(kWidth + 31) / 32, (kHeight + 15) / 16, kOutChannels / 4};
  } else {
    dispatch.kernel.constants.push_back(4);  // TILES of conv3x3_matrix.comp
    dispatch.groups = {(kWidth + 15) / 16, (kHeight + 7) / 8, kOutChannels / 64};
  }
  return dispatch;
}

}  // namespace

Result<bool> kernels_agree(BufferPool& pool, Stream& stream, std::string_view first, std::string_view second,
                           float tolerance) {
  const std::vector<std::uint16_t> features = random_halves(std::size_t{kWidth} * kHeight * kInChannels, 1.0F, 1);
  const std::vector<std::uint16_t> weights = random_halves(std::size_t{kInChannels} * kOutChannels * 9, 0.08F, 2);
  std::vector<float> parameters(std::size_t{2} * kOutChannels, 0.25F);  // bias, slope
  const std::uint64_t target_bytes = std::uint64_t{2} * kWidth * kHeight * kOutChannels;

  std::vector<Buffer> buffers;
  const auto acquire = [&](std::uint64_t size, MemoryUsage usage) -> Result<Slice> {
    auto buffer = pool.acquire(Bytes{size}, MemoryKind::staging, usage);
    if (!buffer) return buffer.error();
    buffers.push_back(*std::move(buffer));
    return Slice{buffers.back().handle(), 0, size};
  };
  const auto upload = [&](const void* data, std::uint64_t size) -> Result<Slice> {
    auto slice = acquire(size, MemoryUsage::upload);
    if (slice) std::memcpy(buffers.back().host(), data, size);
    return slice;
  };
  auto feature_slice = upload(features.data(), features.size() * 2);
  auto weight_slice = upload(weights.data(), weights.size() * 2);
  auto parameter_slice = upload(parameters.data(), parameters.size() * 4);
  auto first_result = acquire(target_bytes, MemoryUsage::download);
  std::byte* const first_bytes = first_result ? buffers.back().host() : nullptr;
  auto second_result = acquire(target_bytes, MemoryUsage::download);
  std::byte* const second_bytes = second_result ? buffers.back().host() : nullptr;
  // The bits 0xFFFF are NaN: a pixel that a kernel does not write is then a difference.
  for (std::byte* bytes : {first_bytes, second_bytes}) {
    if (bytes != nullptr) std::memset(bytes, 0xFF, target_bytes);
  }
  for (const auto* slice : {&feature_slice, &weight_slice, &parameter_slice, &first_result, &second_result}) {
    if (!*slice) return slice->error();
  }
  auto run =
      stream.dispatch(convolution_dispatch(first, *feature_slice, *weight_slice, *parameter_slice, *first_result));
  if (run)
    run =
        stream.dispatch(convolution_dispatch(second, *feature_slice, *weight_slice, *parameter_slice, *second_result));
  if (run) run = stream.make_host_readable(*first_result);
  if (run) run = stream.make_host_readable(*second_result);
  if (run) run = stream.sync();
  if (!run) return run.error();
  for (std::uint64_t i = 0; i < target_bytes; i += 2) {
    std::uint16_t a = 0, b = 0;
    std::memcpy(&a, first_bytes + i, 2);
    std::memcpy(&b, second_bytes + i, 2);
    const float difference = std::fabs(half_to_float(a) - half_to_float(b));
    if (!(difference <= tolerance)) return false;  // also if `difference` is NaN
  }
  return true;
}

}  // namespace weir::compute::vulkan
