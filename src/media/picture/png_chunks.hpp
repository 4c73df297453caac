#pragma once

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Fills everything but the ICC profile, which stands in `into` already if it can be read, from the chunks of a PNG file, those behind the pixels too. What is not
/// carried is left out by name: frames of an animation, chunks that are unknown, damaged or too large.
/// Cost: one read of eight bytes per chunk, and the bodies of those that are kept.
/// Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 5 and 11
void read_png_chunks(const InputFile& file, Metadata& into);

}  // namespace weir::media
