#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "media/film/frame_filter.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/orientation.hpp"

namespace weir::film {

/// One of several pictures side by side: frames of one kind, turned, enlarged to the panel's size by bicubic
/// interpolation and labelled. Not thread-safe.
class Panel {
 public:
  /// `from`: describe_format() of the frames; `to`: of the panel, with the same kind of colours; `label`: written into
  /// the picture where FFmpeg can.
  Panel(FrameFormat from, FrameFormat to, Orientation turn, const std::string& label);

  /// Draws a decoded frame into `sheet`, whose planes are writable and of the panel's pixel format, with its upper left
  /// corner at (x, y), which must be multiples of the distance of chroma samples. Errors: those of unpack_frame() and
  /// FrameFilter.
  Status draw(const AVFrame& frame, int x, int y, AVFrame& sheet);
  /// Returns whether the label is in the picture: FFmpeg needs a font for that. Known after draw().
  bool has_label() const { return has_label_; }

 private:
  Status create_filter(const AVFrame& like);
  void copy_planes(const AVFrame& made, int x, int y, AVFrame& sheet) const;

  FrameFormat from_, to_;
  Orientation turn_;
  std::string label_;
  bool has_label_ = false;
  std::unique_ptr<FrameFilter> filter_;
};

}  // namespace weir::film
