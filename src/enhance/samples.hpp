#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "media/picture/picture.hpp"

namespace weir::enhance {

/// Calls use(samples, largest) and returns its result. `samples` points to the interleaved samples of the row as
/// uint8_t (if `bits` is 8) or uint16_t (if it is 16); `largest` is the largest possible sample, 255 or 65535.
template <class Use>
auto with_samples(std::span<const std::byte> row, int bits, Use&& use) {
  if (bits == 8) return use(reinterpret_cast<const std::uint8_t*>(row.data()), 255.0F);
  return use(reinterpret_cast<const std::uint16_t*>(row.data()), 65535.0F);
}

/// Calls put(colour, x, value) for the three colours of `count` pixels; `colour` is 0 to 2, `value` is 0 to 1. Pixel x
/// is read from column column(x) of the row. For a grey picture all three colours get the same value.
template <class Column, class Put>
void for_each_colour(std::span<const std::byte> row, const media::PictureInfo& info, int count, Column&& column,
                     Put&& put) {
  with_samples(row, info.bits, [&](const auto* samples, float largest) {
    const float unit = 1.0F / largest;
    const int channels = info.channels();
    for (int c = 0; c < 3; ++c) {
      const auto* from = samples + (info.colours == 3 ? c : 0);
      for (int x = 0; x < count; ++x) put(c, x, static_cast<float>(from[column(x) * channels]) * unit);
    }
  });
}

}  // namespace weir::enhance
