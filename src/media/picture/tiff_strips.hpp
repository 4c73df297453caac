#pragma once

#include "media/picture/input_file.hpp"

namespace weir::media {

/// Returns the number of rows of a TIFF file that a decoder decodes together: the rows of a strip (group of rows that
/// is compressed together) or of a tile. The number may exceed the height of the picture. Returns 0 if it is unknown:
/// the tag is missing, or the file is a BigTIFF or damaged.
/// Source: TIFF 6.0, tags 278 RowsPerStrip and 323 TileLength
std::uint32_t read_tiff_rows_per_strip(const InputFile& file);

}  // namespace weir::media
