#pragma once

#include <filesystem>
#include <memory>

#include "base/result.hpp"
#include "media/film/film_index.hpp"
#include "media/film/frame_filter.hpp"
#include "media/film/interlacing.hpp"
#include "media/film/segment_reader.hpp"

namespace weir::film {

/// Decodes a range of frames as FrameConverter reads them: in planes, deinterlaced. A frame is the same in every range:
/// a deinterlaced one depends on both neighbours, so these are decoded too. Not thread-safe.
///
/// FFmpeg's filter bwdif makes one frame of each, with the same time: it keeps the field that is first and interpolates
/// the rows of the other one. The first frame of a film, or of the part that its index holds, is an exception,
/// as it has no frame before it.
class PreparedReader {
 public:
  /// `index` must outlive the object; `settings`: those of settings_of(index). Errors: those of SegmentReader::open().
  static Result<std::unique_ptr<PreparedReader>> open(const std::filesystem::path& path, const FilmIndex& index,
                                                      FrameRange range, const Deinterlacing& deinterlacing,
                                                      ReadSettings settings);

  /// Returns the next frame of the range, which is valid until the next call; null after the last one.
  /// Errors: those of SegmentReader::next(), unpack_frame() and FrameFilter.
  Result<const AVFrame*> next();
  /// Returns whether a frame is surely equal to the one before it, by the hashes in the index.
  static bool repeats_last(const FilmIndex& index, const Deinterlacing& deinterlacing, FrameNumber number);

 private:
  PreparedReader(const FilmIndex& index, FrameRange range, const Deinterlacing& deinterlacing)
      : range_{range}, deinterlacing_{deinterlacing}, decoded_range_{range} {
    if (deinterlacing.frames == Deinterlacing::Frames::none) return;
    if (range.first > 0) --decoded_range_.first;
    if (range.end < static_cast<FrameNumber>(index.frames.size())) ++decoded_range_.end;
    next_filtered_ = decoded_range_.first;
  }
  /// Returns the next decoded frame in planes; null after the last one.
  Result<const AVFrame*> read();
  Result<const AVFrame*> next_deinterlaced();
  /// Decodes a frame and gives it to the filter.
  Status feed_filter();

  FrameRange range_;
  Deinterlacing deinterlacing_;
  FrameRange decoded_range_;  // with the neighbours that deinterlacing needs
  std::unique_ptr<SegmentReader> reader_;
  std::unique_ptr<FrameFilter> filter_;
  FrameNumber next_filtered_ = 0;  // number of the frame that the filter returns next
  bool has_ended_ = false;         // the filter has all frames
  FramePtr unpacked_;              // that read() returned
};

}  // namespace weir::film
