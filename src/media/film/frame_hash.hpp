#pragma once

#include <cstdint>

#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// Returns the XXH3-64 hash of the visible samples of all planes of a frame in main memory: the bytes of each row,
/// without the padding behind it, from the first plane to the last, and the palette. Frames with equal samples have
/// equal hashes.
std::uint64_t hash_frame(const AVFrame& frame);

}  // namespace weir::film
