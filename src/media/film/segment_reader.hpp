#pragma once

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "media/film/film_index.hpp"
#include "media/film/film_reader.hpp"

namespace weir::film {

/// Returns the settings with which the film of an index must be decoded to give the frames of the index.
ReadSettings settings_of(const FilmIndex& index, std::stop_token stop);

/// Decodes a range of frames of an indexed film, exactly those that a decoding from the beginning gives. Not
/// thread-safe.
///
/// Method: it seeks to the last key frame at or before the range and drops the frames before the range. Seeking is not
/// exact in every container, and frames after a key frame may depend on frames before it (open GOP). So each frame of
/// the range is compared with the hash in the index. If one differs, the reader begins at an earlier key frame, and
/// after kSeeks attempts at the beginning of the film.
class SegmentReader {
 public:
  static constexpr int kSeeks = 3;

  /// `index` must outlive the object; `settings`: those of settings_of(index). Errors: those of FilmReader::open().
  static Result<std::unique_ptr<SegmentReader>> open(const std::filesystem::path& path, const FilmIndex& index,
                                                     FrameRange range, ReadSettings settings);

  /// Returns the next frame of the range, which is valid until the next call; null after the last one.
  /// Errors: those of FilmReader::next(); io, if the film does not give the frames of the index: it was changed.
  Result<const AVFrame*> next();
  /// Returns the reader, which continues with the first frame after the range. Call it once, after next() returned
  /// null.
  std::unique_ptr<FilmReader> release() { return std::move(reader_); }

 private:
  SegmentReader(std::filesystem::path path, const FilmIndex& index, FrameRange range, ReadSettings settings);
  /// Positions the reader so that `frame_` is frame `next_`, and its hash is right. Returns false if that cannot be
  /// reached from the key frame that is shown at `key_pts`.
  Result<bool> begin_at_key(std::int64_t key_pts);
  /// Does the same from the beginning of the film.
  Result<bool> begin_at_start();
  /// Returns the presentation times of the key frames to try, the last one first.
  std::vector<std::int64_t> keys_before_next() const;
  /// Returns the number of frames of the film before those of the index.
  FrameNumber frames_before() const { return index_.cut ? index_.cut->frames_before : 0; }
  /// Tries key frames before `next_`, and then the beginning.
  Status find_next();
  bool is_right(const DecodedFrame& frame, FrameNumber number) const;

  std::filesystem::path path_;
  const FilmIndex& index_;
  FrameRange range_;
  ReadSettings settings_;
  std::unique_ptr<FilmReader> reader_;
  bool can_seek_ = false;       // the times of the frames identify them
  bool is_positioned_ = false;  // the next decoded frame is expected to be next_
  FrameNumber next_ = 0;        // number of the next frame to return
  DecodedFrame frame_;
};

}  // namespace weir::film
