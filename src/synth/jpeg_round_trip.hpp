#pragma once

#include "base/result.hpp"
#include "synth/canvas.hpp"

namespace weir::synth {

/// Resolution of the two colour channels of a JPEG.
enum class ChromaSubsampling {
  full,          ///< that of the picture (4:4:4)
  half_columns,  ///< half the columns (4:2:2)
  half_both      ///< half the columns and half the rows (4:2:0)
};

/// Encodes the picture as a JPEG of this quality (1 to 100, the scale of libjpeg) and returns the decoded result.
/// Errors: io, with libjpeg's message.
Result<Canvas> jpeg_round_trip(const Canvas& canvas, int quality, ChromaSubsampling chroma);

}  // namespace weir::synth
