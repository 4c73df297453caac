#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Fills exif and xmp from the boxes of a JPEG XL file, compressed ones ("brob") too, with libjxl; libvips 8.14 tells
/// neither. A box of more than kMostMetadata bytes, as it is or decompressed, is passed over.
/// Errors: unsupported, if libjxl is not installed; what is damaged is the decoder's to tell.
Status read_jxl_metadata(const InputFilePtr& file, Metadata& into);

}  // namespace weir::media
