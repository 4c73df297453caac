#pragma once

#include <string>

#include "base/result.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Puts the EXIF block's tags (with the EXIF and GPS directories below) and IPTC into a finished TIFF file of one page,
/// which libvips 8.14 does not do: a longer directory is appended, and the header points there. Tags that the file has
/// already stay as they are.
/// fd     readable and writable at any offset
/// name   stands in messages
/// Errors: io; unsupported (BigTIFF, or no room below 4 GiB): then the file is as it was.
Status add_tiff_tags(int fd, const Metadata& metadata, const std::string& name);

}  // namespace weir::media
