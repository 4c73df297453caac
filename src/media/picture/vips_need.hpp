#pragma once

#include <cstdint>

#include "media/picture/picture.hpp"

namespace weir::media {

/// Memory that libvips and the format's library take for a picture: linear in its pixels, with coefficients measured for
/// pages and for noise (docs/memory.md).
/// file_size    of the input: some libraries hold all of it
/// strip_rows   are decoded together (TIFF); 0: not known, the whole picture is assumed
MediaNeed vips_decoder_need(const PictureInfo& picture, std::uint64_t file_size, std::uint32_t strip_rows);
/// quality      below 0: lossless where the format has it
MediaNeed vips_encoder_need(const PictureInfo& picture, int quality);

}  // namespace weir::media
