#pragma once

#include <cstdint>
#include <memory>

#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Rounded.
constexpr std::uint8_t to_8_bits(std::uint16_t value) {
  return static_cast<std::uint8_t>((value * 255U + 32767U) / 65535U);
}

/// Rows of `from` turned into rows of `to`, which has the same size: 16 bits are rounded to 8, and alpha that `to` lacks
/// is flattened onto white.
std::unique_ptr<RowSource> convert_rows(RowSource& rows, const PictureInfo& from, const PictureInfo& to);

}  // namespace weir::media
