#include "media/picture/storable.hpp"

#include <algorithm>

namespace weir::media {
namespace {

int max_side(Format format) {
  switch (format) {
    case Format::jpg:
      return 65500;  // JPEG_MAX_DIMENSION of libjpeg
    case Format::webp:
      return 16383;  // 14 bits, WebP container specification
    case Format::avif:
      return 65536;  // AV1 bitstream: 16 bits hold the size minus one
    default:
      return 1 << 24;
  }
}

bool holds_16_bits(Format format) {
  return format == Format::png || format == Format::tiff || format == Format::jxl || format == Format::avif;
}

}  // namespace

PictureInfo storable(const WriteOptions& options, std::vector<std::string>& lost) {
  auto stored = options.rows;
  stored.format = options.format;
  stored.width = options.final_width > 0 ? options.final_width : options.rows.width;
  stored.height = options.final_height > 0 ? options.final_height : options.rows.height;
  const std::string name{name_of(options.format)};
  if (stored.alpha && options.format == Format::jpg) {
    stored.alpha = false;
    lost.emplace_back("alpha (jpg has none; flattened onto white)");
  }
  if (stored.bits == 16 && !holds_16_bits(options.format)) {
    stored.bits = 8;
    lost.push_back("16-bit (" + name + " holds 8)");
  }
  return stored;
}

Status check_limits(const WriteOptions& options) {
  if (!can_write(options.format))
    return Error{Errc::unsupported,
                 std::string{name_of(options.format)} + " cannot be written; use png, jpg, webp, avif, jxl or tiff"};
  if (options.rows.width < 1 || options.rows.height < 1)
    return Error{Errc::invalid_argument, "a picture has at least one row and one column"};
  const int width = options.final_width > 0 ? options.final_width : options.rows.width;
  const int height = options.final_height > 0 ? options.final_height : options.rows.height;
  const int limit = max_side(options.format);
  if (std::max(width, height) > limit)
    return Error{Errc::unsupported, std::to_string(width) + "x" + std::to_string(height) + " is too large for " +
                                        std::string{name_of(options.format)} + " (at most " + std::to_string(limit) +
                                        " pixels on a side); use png or tiff"};
  return ok();
}

}  // namespace weir::media
