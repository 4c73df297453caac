#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Replaces `exif` and `xmp` of `into` by those in the boxes (parts with a type and a body) of a JPEG XL file, if it
/// has them. Reads with libjxl, also compressed boxes ("brob"), which libvips 8.14 does not read. Records as omissions:
/// `exif` or `xmp` if the decompressed body exceeds kMaxMetadataBytes; further frames; and the boxes of all other
/// types, such as C2PA data (origin of the picture), except the boxes that store the picture itself.
/// Errors: unsupported, if libjxl is not installed. Reading stops at a damaged box without an error.
Status read_jxl_metadata(const InputFilePtr& file, Metadata& into);

}  // namespace weir::media
