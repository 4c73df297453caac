#pragma once

#include <string>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::media {

/// Returns the size and sample format of the picture in the file: options.row_format with the final size, without alpha
/// if options.format cannot store alpha, and with 8 bits a sample if it cannot store 16. Adds an entry to `lost` if
/// alpha is removed, and one if the bits are reduced.
PictureInfo fit_picture_info(const WriteOptions& options, std::vector<std::string>& lost);

/// Checks that weir can write options.format and that the format can store a picture of the final size.
/// Errors: unsupported, if one of these checks fails; invalid_argument, if options.row_format has no rows or no
/// columns.
Status check_format_limits(const WriteOptions& options);

}  // namespace weir::media
