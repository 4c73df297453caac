#pragma once

#include <cstdint>

#include "media/picture/picture.hpp"

namespace weir::media {

/// The memory that the library of a format takes per pixel. The values are measured with comic pages and with noise
/// (docs/memory.md).
struct PixelCost {
  std::uint64_t bytes_at_8_bits = 0;   ///< bytes per pixel without alpha, for samples of 8 bits
  std::uint64_t bytes_at_16_bits = 0;  ///< bytes per pixel without alpha, for samples of 16 bits
  /// alpha adds 1/alpha_divisor of these bytes (3: one plane more than three); 0: it adds nothing
  std::uint64_t alpha_divisor = 3;
};

/// Returns the memory that libvips and the library of the format take for a picture: a constant, and `cost` for each
/// pixel.
MediaNeed vips_need(const PictureInfo& picture, const PixelCost& cost);

}  // namespace weir::media
