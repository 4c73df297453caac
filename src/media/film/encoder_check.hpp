#pragma once

#include "base/result.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// Checks settings without a film: that the codec has such a quality and preset, and that its encoder opens with these
/// options for small frames. Errors: invalid_argument, with what the codec takes; unsupported, if FFmpeg was built without
/// the encoder; over_budget. Sets the variable SVT_LOG, so call it while the process has one thread.
Status check_encoder(const EncodeSettings& settings);

}  // namespace weir::film
