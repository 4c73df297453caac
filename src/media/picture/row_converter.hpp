#pragma once

#include <cstdint>
#include <memory>

#include "media/picture/picture.hpp"
#include "media/picture/row_source.hpp"

namespace weir::media {

/// Converts a sample from the range 0 to 65535 to the range 0 to 255, rounded.
constexpr std::uint8_t to_8_bits(std::uint16_t value) {
  return static_cast<std::uint8_t>((value * 255U + 32767U) / 65535U);
}

/// Returns a row source that converts `rows` from the format `from` to the format `to`. The only conversions are from
/// 16 to 8 bits and from alpha to no alpha, where pixels are composed over white. `rows` must outlive the result.
std::unique_ptr<RowSource> convert_rows(RowSource& rows, const PictureInfo& from, const PictureInfo& to);

}  // namespace weir::media
