#pragma once

#include "media/byte_sink.hpp"
#include "media/input_file.hpp"
#include "media/metadata.hpp"

namespace weir::media {

// libvips 8.14 neither reads nor writes what a JPEG XL file says beside its picture, but the container is plain: boxes
// of a length, a type and a body.
// Source: ISO/IEC 18181-2:2021, 9 "Boxes"; ISO/IEC 14496-12, 4.2

/// Fills exif and xmp from the boxes of a JPEG XL file; compressed ones ("brob") are passed over.
void read_jxl_boxes(const InputFile& file, Metadata& into);

/// Puts a whole JPEG XL file with the metadata's exif and xmp into `sink`, from `fd`, which holds one without.
/// Errors: io.
Status put_jxl_with_boxes(int fd, const Metadata& metadata, ByteSink& sink);

}  // namespace weir::media
