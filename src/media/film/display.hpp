#pragma once

#include "media/film/ffmpeg.hpp"
#include "media/film/film_index.hpp"
#include "media/film/frame_encoder.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/orientation.hpp"

namespace weir::film {

/// How players show the frames of the result. Containers store it beside the encoded frames.
struct DisplayProperties {
  ColourTags colour;             ///< tags that are unspecified are not written
  Fraction sample_aspect{0, 1};  ///< width / height of a pixel; 0/1 if it is not known
  Orientation orientation;
  AVFieldOrder field_order = AV_FIELD_PROGRESSIVE;
  HdrData hdr;
};

/// Returns how a stream is turned; nothing for a matrix that does not turn by quarters.
Orientation orientation_of(const AVStream& stream);

/// Writes the properties into a stream of a file that is not yet begun. The orientation is left out where
/// `with_orientation` is false. Errors: over_budget.
Status apply_display(const DisplayProperties& display, bool with_orientation, AVStream& stream);

}  // namespace weir::film
