#pragma once

#include "media/picture/byte_sink.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

// libvips 8.14 writes no EXIF and XMP into a JPEG XL file, but the container is plain: boxes of a length, a type and a body.
// Source: ISO/IEC 18181-2:2021, 9 "Boxes"; ISO/IEC 14496-12, 4.2

/// Puts a whole JPEG XL file with the metadata's exif and xmp into `sink`, from `fd`, which holds one without.
/// Errors: io.
Status write_jxl_with_metadata(int fd, const Metadata& metadata, ByteSink& sink);

}  // namespace weir::media
