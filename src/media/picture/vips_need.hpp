#pragma once

#include <cstdint>

#include "media/picture/picture.hpp"

namespace weir::media {

/// What a format's library takes for each pixel, measured for pages and for noise (docs/memory.md).
struct PixelCost {
  std::uint64_t bytes_at_8_bits = 0;   ///< of colour alone, of 8 bits a sample
  std::uint64_t bytes_at_16_bits = 0;  ///< of 16 bits
  std::uint64_t alpha_divisor = 3;     ///< alpha adds one part in so many: one more plane beside three; 0: nothing
};

/// Memory that libvips and the format's library take for a picture: linear in its pixels.
MediaNeed vips_need(const PictureInfo& picture, const PixelCost& cost);

}  // namespace weir::media
