#pragma once

#include <cstdint>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/tiff_file.hpp"
#include "media/picture/tiff_pixels.hpp"

namespace weir::media {

inline constexpr Bytes kTiffHeaderLimit = 16_MiB;  ///< largest tag that is read with the header, in bytes

/// The compression of a picture, and its division into strips (some rows each) or tiles (rectangles). In a planar file,
/// which stores each channel in a plane of its own, each plane has its own strips or tiles.
struct TiffLayout {
  std::uint16_t photometric = 0, compression = 0, sample_format = 0;  ///< values of the tags with these names
  bool tiled = false;                             ///< the picture is divided into tiles, otherwise into strips
  std::uint32_t tile_width = 0, tile_height = 0;  ///< in pixels; 0 for strips
  std::uint64_t max_stored_bytes = 0;             ///< size of the largest strip or tile as it is in the file
  std::uint64_t max_decoded_bytes = 0;            ///< size of a decoded strip or tile
  std::uint64_t row_bytes = 0;  ///< size of a decoded row of a tile; without tiles: of the picture (planar: a plane)
};

/// The information in the tags of a file's first picture.
struct TiffHeader {
  PictureInfo info;  ///< format of the decoded rows
  TiffPixelFormat pixel_format;
  TiffLayout layout;
  int orientation = 1;  ///< 1 to 8, as in EXIF
  MetadataPtr metadata;
  bool needs_conversion = false;  ///< libvips must decode the picture; if set, the members above are incomplete
};

/// Reads the tags of the first picture. Errors: corrupt, unsupported, io.
Result<TiffHeader> read_tiff_header(const TiffApi& api, const InputFile& file, const TiffFile& tiff);

/// Fills the members of `layout` from `tiled` on. Errors: corrupt, unsupported.
Status read_tiff_layout(const TiffApi& api, const InputFile& file, const TiffFile& tiff, TiffLayout& layout);

/// Makes the error that row `row` (from 0) of `height` rows cannot be decoded, or returns the error of reading the file
/// if there was one.
Error make_tiff_row_error(const TiffFile& tiff, int row, int height);

}  // namespace weir::media
