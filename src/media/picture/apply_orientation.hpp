#pragma once

#include "media/picture/decoder.hpp"

namespace weir::media {

/// Returns a decoder that reads from `decoder` and turns and mirrors the picture as the file's orientation requires.
/// The orientation() of the result is 1.
/// - Orientation 1 (upright): returns `decoder` itself.
/// - Orientation 2 (mirrored horizontally): works row by row.
/// - Orientations 3 to 8: the first read() decodes all rows into an unnamed temporary file in options.spill_folder;
///   this and all later calls of read() take their rows from that file.
DecoderPtr apply_orientation(DecoderPtr decoder, const ReadOptions& options);

}  // namespace weir::media
