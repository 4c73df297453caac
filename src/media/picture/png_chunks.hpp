#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Reads the metadata of a PNG file from its chunks (parts with a length, a type, data and a checksum), also from
/// chunks after the pixels. The caller must have read the ICC profile: if the file has one and into.icc is empty, the
/// profile is recorded as damaged. Other data that weir does not copy to an output is recorded as an omission: frames
/// of an animation, and chunks that are unknown, damaged or too large.
/// Cost: reads the header of each chunk, and the data of the chunks that are kept.
/// Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 5 and 11
void read_png_chunks(const InputFile& file, Metadata& into);

}  // namespace weir::media
