#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "media/film/film_reader.hpp"
#include "tasks/film/film_frames.hpp"
#include "tasks/film/stream_frames.hpp"

namespace weir::film {

/// The frames of a short part of a film, found by seeking and without an index. Not thread-safe.
class PreviewFrames final : public FrameSource {
 public:
  static constexpr double kSeconds = 3;  ///< length of the part

  /// Opens a film for the frames from `from` on, in seconds since its first presentation. Errors: those of
  /// FilmReader::open() and describe_frames().
  static Result<std::unique_ptr<PreviewFrames>> open(const std::filesystem::path& path, double from,
                                                     const ReadSettings& settings);

  /// Errors: those of StreamFrames::next().
  Result<SourceFrame> next() override;

  FilmReader& reader() { return *reader_; }
  /// The frames as the film has them; the pixels are turned as the film says.
  const FilmFrames& film() const { return film_; }
  /// Returns the end of the last frame that was read, in seconds since the first presentation.
  double end() const { return seconds_of(end_pts_); }

 private:
  PreviewFrames(std::filesystem::path path, double from, ReadSettings settings);
  Status begin_at_start();
  /// Moves to a frame at or before the part; returns false if the container cannot seek there.
  Result<bool> seek();
  double seconds_of(std::int64_t pts) const;

  std::filesystem::path path_;
  double from_;
  ReadSettings settings_;
  std::unique_ptr<FilmReader> reader_;
  std::optional<StreamFrames> frames_;
  FilmFrames film_;
  std::int64_t first_pts_ = 0, end_pts_ = 0;
  bool has_begun_ = false;  // a frame of the part was returned
};

}  // namespace weir::film
