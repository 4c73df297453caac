#pragma once

#include <cstdint>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/tiff_file.hpp"
#include "media/picture/tiff_pixels.hpp"

namespace weir::media {

inline constexpr Bytes kTiffHeaderLimit = 16_MiB;  ///< of one tag, while only the header is read

/// How the pixels of a file are compressed, and cut into strips or tiles.
struct TiffLayout {
  std::uint16_t photometric = 0, compression = 0, sample_format = 0;
  bool tiled = false;
  std::uint32_t tile_width = 0, tile_height = 0;
  std::uint64_t max_stored_bytes = 0;   ///< bytes of the largest strip or tile in the file
  std::uint64_t max_decoded_bytes = 0;  ///< of a strip or tile
  std::uint64_t row_bytes = 0;          ///< of a row of a plane, or of a tile
};

/// What the tags of a file's first picture say.
struct TiffHeader {
  PictureInfo info;  ///< as it is yielded
  TiffPixelFormat pixel_format;
  TiffLayout layout;
  int orientation = 1;  ///< 1 to 8
  MetadataPtr metadata;
  bool needs_conversion = false;  ///< the colours or the codec are libvips' matter: what is above is not whole then
};

/// Errors: corrupt, unsupported.
Result<TiffHeader> read_tiff_header(const TiffApi& api, const InputFile& file, const TiffFile& tiff);

/// Strips or tiles, into a layout of which the first line is known. Errors: corrupt, unsupported.
Status read_tiff_layout(const TiffApi& api, const InputFile& file, const TiffFile& tiff, TiffLayout& layout);

/// Why row `row` of `height` cannot be had.
Error make_tiff_row_error(const TiffFile& tiff, int row, int height);

}  // namespace weir::media
