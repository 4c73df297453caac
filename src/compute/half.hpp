#pragma once

#include <bit>
#include <cstdint>

namespace weir::compute {

/// Converts the bits of an IEEE 754 binary16 value ("half") to float; exact. The code has no branches, so that
/// compilers vectorise loops over arrays.
/// Source: IEEE 754-2008, 3.6 (formats), 5.4.2 (conversion).
inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu, fraction = half & 0x3ffu;
  // 112 is the difference of the exponent biases, 127 - 15; exponent 31 (infinity, NaN) becomes 255.
  const std::uint32_t normal = (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
  // Zero or subnormal: fraction * 2^-24. The fraction becomes an int first, because vector units convert int
  // to float in one step.
  const auto subnormal = std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<int>(fraction)) * 0x1p-24F);
  return std::bit_cast<float>(sign | (exponent == 0 ? subnormal : normal));
}

/// Converts a float to binary16 bits; rounds to nearest, ties to even. Values that are too large become infinity; NaN
/// stays NaN.
inline std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 or more: rounds to infinity
  // Below 2^-14 the result is subnormal, a multiple of 2^-24. The addition of 0.5 rounds to such a multiple, because
  // floats from 0.5 to 1 are multiples of 2^-24. 0x3f000000 are the bits of 0.5.
  if (magnitude < 0x38800000u) {
    const float rounded = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3f000000u));
  }
  // 0x38000000 is (127 - 15) << 23, the difference of the exponent biases. A tie is rounded up only if the lower
  // neighbour is odd.
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

}  // namespace weir::compute
