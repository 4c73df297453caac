#pragma once

#include "base/result.hpp"
#include "synth/canvas.hpp"

namespace weir::synth {

enum class ChromaSubsampling { full, half_columns, half_both };  ///< 4:4:4, 4:2:2, 4:2:0

/// The picture as a JPEG of this quality (1 to 100, the scale of libjpeg) gives it back. Errors: io with libjpeg's text.
Result<Canvas> jpeg_round_trip(const Canvas& canvas, int quality, ChromaSubsampling chroma);

}  // namespace weir::synth
