#pragma once

#include "media/picture/input_file.hpp"

namespace weir::media {

/// How many rows of a TIFF are decoded together: of a strip or of a row of tiles. 0 if the file does not say so in a
/// way that is understood here (BigTIFF, damaged).
/// Source: TIFF 6.0, tags 278 RowsPerStrip and 323 TileLength
std::uint32_t read_tiff_rows_per_strip(const InputFile& file);

}  // namespace weir::media
