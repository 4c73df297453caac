#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// A decoded frame. It is valid until the next call of FrameSource::next().
struct SourceFrame {
  const AVFrame* frame = nullptr;  ///< null: there is no further frame
  bool repeats_last = false;       ///< its samples are equal to those of the frame before it
  std::int64_t pts = 0;            ///< presentation time in units of the film's time base
  std::int64_t duration = 0;       ///< in the same units; 0 if it is not known
};

/// Gives the decoded frames of a film, or of a part of it, in presentation order. Not thread-safe.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// Returns the next frame. Errors: those of the film's reader; cancelled.
  virtual Result<SourceFrame> next() = 0;
};

/// Takes the frames of a result in presentation order. Not thread-safe.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// Returns a frame with writable planes to be filled and given to write(). Errors: over_budget.
  virtual Result<AVFrame*> next_frame() = 0;
  /// Takes the frame of next_frame(), shown at `pts`, which must be greater than that of the frame before it.
  /// Errors: io, disk_full, unsupported, over_budget.
  virtual Status write(std::int64_t pts, std::int64_t duration) = 0;
};

}  // namespace weir::film
