#pragma once

#include "media/picture/byte_sink.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

// libvips 8.14 does not write EXIF and XMP into a JPEG XL file, so write_jxl_with_metadata() adds them. A JPEG XL file
// is either a bare codestream (the coded picture alone) or a container: a sequence of boxes, each with a length, a type
// and a body.
// Source: ISO/IEC 18181-2:2021, 9 "Boxes"; ISO/IEC 14496-12, 4.2

/// Copies the JPEG XL file that the descriptor `fd` refers to into `sink`, and adds boxes with `exif` and `xmp` of
/// `metadata` before the picture. Puts a bare codestream into a container. Flushes `sink`. Errors: io; those of `sink`.
Status write_jxl_with_metadata(int fd, const Metadata& metadata, ByteSink& sink);

}  // namespace weir::media
