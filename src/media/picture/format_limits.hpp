#pragma once

#include <string>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::media {

/// What a file of options.format can hold of options.rows, at the final size; each reduction is told in `lost`.
PictureInfo fit_picture_info(const WriteOptions& options, std::vector<std::string>& lost);

/// Whether the format can hold a picture of the final size at all. Errors: unsupported, invalid_argument.
Status check_format_limits(const WriteOptions& options);

}  // namespace weir::media
