#pragma once

#include <cstdint>

#include "media/picture.hpp"

namespace weir::media {

/// Memory that libvips and the format's library take for a picture, measured (docs/memory.md).
/// `strip_rows` are decoded together (TIFF); 0: not known, the whole picture is assumed.
MediaNeed vips_decoder_need(const PictureInfo& picture, std::uint32_t strip_rows);
MediaNeed vips_encoder_need(const PictureInfo& picture, Format format);

}  // namespace weir::media
