#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Reads the metadata of a JPEG file from its segments (marker, length and content). Fills `exif`, `xmp` and `iptc` of
/// `into` if they are empty, and adds the comments. The caller must have read the ICC profile: if the file has one and
/// into.icc is empty, the profile is recorded as damaged. Other data that weir does not copy to an output is recorded
/// as an omission: further pictures (MPF), gain maps, C2PA (data about the origin of the picture), extended XMP,
/// unknown segments, data after the picture.
/// Cost: reads the file once up to its end marker. Stops when 64 MiB of compressed samples contain no marker, and after
/// 65,536 segments.
/// Source: ITU-T T.81, annex B; EXIF 2.3, 4.7; XMP specification part 3; CIPA DC-007 (MPF)
void read_jpeg_segments(const InputFile& file, Metadata& into);

}  // namespace weir::media
