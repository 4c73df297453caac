#pragma once

#include "media/picture/decoder.hpp"

namespace weir::media {

/// The decoder's picture as it is meant to be seen: its orientation is applied and is 1 afterwards. A mirrored row is
/// turned at once; anything else passes through a row file in options.spill (one picture of raw samples), which is
/// filled at the first read.
DecoderPtr apply_orientation(DecoderPtr decoder, const ReadOptions& options);

}  // namespace weir::media
