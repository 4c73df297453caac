#pragma once

#include <cstddef>

#include "media/film/frame_format.hpp"

namespace weir::film {

/// How decoded pictures are turned to be shown: first mirrored left to right, then turned clockwise.
struct Orientation {
  bool is_mirrored = false;
  int degrees = 0;  ///< 0, 90, 180 or 270
  bool is_quarter_turn() const { return degrees % 180 != 0; }
  bool operator==(const Orientation&) const = default;
};

/// The place of the first chroma sample, in pixels from the middle of the first pixel.
struct ChromaOrigin {
  double x = 0, y = 0;
  bool operator==(const ChromaOrigin&) const = default;
};

/// Returns where the chroma samples of the format are. Without 4:2:0 they are as in MPEG-2: on the first column, and in
/// the middle of the rows that they cover.
ChromaOrigin chroma_origin(const FrameFormat& format);
/// Returns where the chroma samples of frames of this format are when their planes are turned.
ChromaOrigin turned_chroma_origin(const FrameFormat& format, const Orientation& turn);

/// Returns the sizes of the format when its planes are turned. FFmpeg need not have such a format, so the pixel format
/// and the chroma location are those of `format` and mean nothing.
FrameFormat with_turned_planes(const FrameFormat& format, const Orientation& turn);

/// Returns the format for turned frames. It holds their samples exactly where a format with chroma samples in the
/// turned places exists: 4:4:4 and RGB, and 4:2:0 whose chroma samples are not beside the second column of each pair
/// then. Others need their chroma samples to be resampled. Where chroma samples are twice as dense in one direction
/// (4:2:2) and the turn is a quarter, the result has one for each pixel.
FrameFormat turned_format(const FrameFormat& format, const Orientation& turn);

/// Where the elements of a plane are after turning: element (x, y) is stored at first + x * across + y * down.
struct TurnedPlaces {
  std::ptrdiff_t first = 0, across = 1, down = 1;
};

/// `size`: of the plane before it is turned; `stride`: elements from row to row of the turned plane.
TurnedPlaces turned_places(PlaneSize size, const Orientation& turn, std::ptrdiff_t stride);

/// Returns the size of a turned plane.
inline PlaneSize turned_size(PlaneSize size, const Orientation& turn) {
  return turn.is_quarter_turn() ? PlaneSize{size.height, size.width} : size;
}

}  // namespace weir::film
