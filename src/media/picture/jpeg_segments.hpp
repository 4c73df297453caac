#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Fills exif, xmp, iptc and the comments from the segments of a JPEG file, where they are still empty; the ICC profile is
/// libjpeg's to read, and stands there already if it is whole. What is not carried is left out by name: further pictures (MPF), gain maps, C2PA, extended XMP,
/// unknown segments, data behind the picture.
/// Cost: the file is read once up to its end marker, at most 64 MiB of it; of each kind one block is held.
/// Source: ITU-T T.81, annex B; EXIF 2.3, 4.7; XMP specification part 3; CIPA DC-007 (MPF)
void read_jpeg_segments(const InputFile& file, Metadata& into);

}  // namespace weir::media
