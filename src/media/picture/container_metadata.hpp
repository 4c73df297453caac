#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

// What libvips does not tell of a file's container: how many pictures it holds, comments, colour, and what stays behind.
// Each of these reads the structure of the file alone, never samples; what is damaged is passed over, the decoder tells it.
// They fill what is still empty in `into`. Every count and every block is bounded.

/// Frames, comments, XMP and ICC profile. Source: CompuServe, GIF89a specification; XMP specification part 3, "GIF".
/// Cost: the file is read once.
void read_gif_blocks(const InputFilePtr& file, Metadata& into);

/// Frames and unknown chunks. Source: WebP Container Specification, "RIFF file format", "Extended file format".
void read_webp_chunks(const InputFile& file, Metadata& into);

/// Further pictures, sequences, depth and gain maps, thumbnails, C2PA; the colour of the main picture where it has no
/// profile. Source: ISO/IEC 14496-12:2020, 8; ISO/IEC 23008-12:2017, 6 and 9; ISO/IEC 23000-22 (auxiliary pictures).
void read_heif_boxes(const InputFile& file, Metadata& into);

/// The tags of the first page: those that EXIF knows become an EXIF block, with its sub-directories; IPTC; primaries.
/// Source: TIFF 6.0; EXIF 2.3, 4.6; Adobe, "TIFF Technical Notes" (Photoshop's tags)
void read_tiff_tags(const InputFile& file, Metadata& into);

}  // namespace weir::media
