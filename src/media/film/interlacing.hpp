#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "media/film/film_index.hpp"
#include "media/film/frame_filter.hpp"

namespace weir::film {

/// Whether a film is deinterlaced: as its frames' flags say, where their content does not contradict; or as the user
/// says.
enum class Deinterlace { automatic, on, off };
/// Returns "auto", "on" or "off".
std::string_view name_of(Deinterlace deinterlace);
/// Returns the value of that name; empty for any other text.
std::optional<Deinterlace> deinterlace_named(std::string_view name);

/// Which frames of a film are deinterlaced.
struct Deinterlacing {
  enum class Frames { none, flagged, all };
  Frames frames = Frames::none;
  bool is_top_field_first = true;  ///< of frames that have no flag
  bool operator==(const Deinterlacing&) const = default;
};

/// Decides which frames of a film are deinterlaced.
///
/// `automatic` follows the frames' flags. It fails if the content contradicts them, because a wrong choice spoils the
/// film. Drawn films often look interlaced in single frames, but mostly with either field first. So a film without flags
/// contradicts only if at least 24 frames, a third of them, and half as many as look progressive, look interlaced, and
/// nearly all of these with the same field first. Not told apart is a film that scrolls at some constant speeds for a
/// third of its time: a test pattern moved by two rows per frame had the top field first in 150 of 151 frames. Flagged
/// frames contradict if they nearly all look progressive. Errors: invalid_argument, with one line that says what flags
/// and content say.
Result<Deinterlacing> decide_deinterlacing(const FilmIndex& index, Deinterlace wanted);

/// Returns the field order of a film whose frames are not deinterlaced: that of most flagged frames, or
/// AV_FIELD_PROGRESSIVE if most frames have no flag.
AVFieldOrder field_order_of(const FilmIndex& index);

/// Finds out frame by frame whether the content of a film is interlaced, with FFmpeg's filter idet. What it says of a
/// frame depends on this frame, the one before and the one after, so it needs the next frame first. Not thread-safe.
class FieldDetector {
 public:
  /// Adds the next frame, as decoded; null: the film has ended. Afterwards next_result() has one for the frame before.
  /// Errors: over_budget, io.
  Status add(const AVFrame* frame);
  /// Returns what is known of the next frame; empty if it is not known yet. Errors: over_budget, io.
  Result<std::optional<FieldContent>> next_result();

 private:
  std::unique_ptr<FrameFilter> filter_;  // null: idet does not take the format, and all frames are undetermined
  int pending_ = 0;                      // frames without a result
  bool has_begun_ = false, has_ended_ = false;
};

}  // namespace weir::film
