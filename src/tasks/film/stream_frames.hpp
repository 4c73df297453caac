#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "base/result.hpp"
#include "media/film/film_index.hpp"
#include "media/film/film_reader.hpp"
#include "media/film/frame_flow.hpp"

namespace weir::film {

/// All frames of a film, in one pass over it.
class StreamFrames final : public FrameSource {
 public:
  /// `first`: what reader.next() returned first; a frame. `name`: of the film, for messages.
  StreamFrames(FilmReader& reader, const DecodedFrame& first, std::string name);

  /// Errors: those of FilmReader::next(), except that data which cannot be read end the film; unsupported, if the size
  /// or the pixel format changes.
  Result<SourceFrame> next() override;

  /// Returns the time of the first frame.
  std::int64_t first_pts() const { return first_pts_; }
  /// Returns whether all frames so far follow each other at the same distance, except for the rounding of times.
  bool has_constant_rate() const { return longest_step_ - shortest_step_ <= 1; }
  /// Returns which kinds of data the frames so far carry: frame_data_kinds() of all of them.
  std::uint32_t data_kinds() const { return data_kinds_; }
  /// Returns what could not be read so far, in one line; empty: nothing.
  std::string damage() const;

 private:
  Status check_format(const AVFrame& frame) const;
  bool goes_back_far() const;  ///< the time of decoded_ is far before that of the frame before it
  std::int64_t time_of(const DecodedFrame& decoded);

  FilmReader& reader_;
  DecodedFrame decoded_;
  std::string name_;
  FrameNumber count_ = 0;
  int width_, height_, pixel_format_;
  std::uint64_t hash_ = 0;
  bool has_decoding_times_ = false;  // the film gives some frames no presentation time
  std::int64_t first_pts_ = 0, last_pts_ = 0;
  std::int64_t shortest_step_ = std::numeric_limits<std::int64_t>::max(), longest_step_ = 0;
  std::int64_t damaged_frames_ = 0;
  std::uint32_t data_kinds_ = 0;
  std::string unreadable_;  // why the film ended early
};

}  // namespace weir::film
