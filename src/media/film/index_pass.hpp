#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "media/film/film_index.hpp"

namespace weir::film {

/// Where a film is cut into segments. The cuts depend on the film and on these numbers alone.
struct SegmentRules {
  FrameNumber longest = 240;  ///< a segment ends at the last key frame up to this length, or at this length
  FrameNumber shortest = 48;  ///< no segment is shorter, except in a shorter film
};

/// Returns the first frame of each segment. Cuts are placed at key frames where possible, because a segment that begins
/// at a key frame is decoded without the frames before it.
std::vector<FrameNumber> find_segments(const std::vector<IndexedFrame>& frames, const SegmentRules& rules);

/// Returns presentation times of frames in ascending order. `times`: the decoding time of the packet with the rank of
/// the frame (DecodedFrame::decoding_time), or nothing if the file has none. Missing times are `step` after the frame
/// before them, those at the beginning `step` before the frame after them. A time that is not above the one before is
/// raised.
std::vector<std::int64_t> times_from_packets(const std::vector<std::optional<std::int64_t>>& times, std::int64_t step);

/// Settings of index_film().
struct IndexSettings {
  int decoder_threads = 1;
  SegmentRules segments;
  /// The index holds the frames from `from` until before `to`, in seconds since the film's first presentation (of a
  /// picture or of sound): what the clock of a player shows. Empty: the beginning or the end of the film. They are
  /// exact to a microsecond.
  std::optional<double> from = {}, to = {};
  std::optional<FrameNumber> limit = {};  ///< the index holds the first frames of these, at most so many
  /// The frames found so far are stored in this file, from which the next call continues; empty: no such file. It is
  /// removed at the end.
  std::filesystem::path partial;
  /// Called after each frame with the number of frames and the done share of the film, 0..1. May be empty.
  std::function<void(FrameNumber frames, double fraction)> progress;
  std::stop_token stop;
};

/// Decodes a film from its beginning to IndexSettings::to and returns its index. What cannot be read is described in
/// FilmIndex::damage. Errors: those of FilmReader::open() and next(); corrupt, if no frame can be decoded; unsupported,
/// if the size or the pixel format changes within the film; invalid_argument, if the film has no frame between `from`
/// and `to`; io and disk_full of the file `partial`.
Result<FilmIndex> index_film(const std::filesystem::path& path, const IndexSettings& settings);

}  // namespace weir::film
