#include "media/film/orientation.hpp"

#include <array>
#include <utility>

#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

/// The samples along one axis of a picture.
struct Axis {
  double first = 0;     // place of the first sample, in pixels
  double distance = 1;  // of samples, in pixels
  int samples = 1, pixels = 1;

  /// Returns the place of the first sample when the axis runs the other way.
  double reversed_first() const { return pixels - 1 - (first + (distance * (samples - 1))); }
};

}  // namespace

ChromaOrigin chroma_origin(const FrameFormat& format) {
  const double between_x = ((1 << format.chroma_shift_x) - 1) / 2.0,
               between_y = ((1 << format.chroma_shift_y) - 1) / 2.0;
  switch (format.colour.chroma_location) {
    case AVCHROMA_LOC_CENTER:
      return {between_x, between_y};
    case AVCHROMA_LOC_TOPLEFT:
      return {0, 0};
    case AVCHROMA_LOC_TOP:
      return {between_x, 0};
    case AVCHROMA_LOC_BOTTOMLEFT:
      return {0, 2 * between_y};
    case AVCHROMA_LOC_BOTTOM:
      return {between_x, 2 * between_y};
    default:
      return {0, between_y};
  }
}

ChromaOrigin turned_chroma_origin(const FrameFormat& format, const Orientation& turn) {
  const ChromaOrigin origin = chroma_origin(format);
  const PlaneSize chroma = format.chroma_size();
  const Axis x{origin.x, static_cast<double>(1 << format.chroma_shift_x), chroma.width, format.width};
  const Axis y{origin.y, static_cast<double>(1 << format.chroma_shift_y), chroma.height, format.height};
  const bool is_x_reversed = turn.is_mirrored != (turn.degrees == 180 || turn.degrees == 270);
  const bool is_y_reversed = turn.degrees == 90 || turn.degrees == 180;
  ChromaOrigin turned{is_x_reversed ? x.reversed_first() : x.first, is_y_reversed ? y.reversed_first() : y.first};
  if (turn.is_quarter_turn()) std::swap(turned.x, turned.y);
  return turned;
}

FrameFormat with_turned_planes(const FrameFormat& format, const Orientation& turn) {
  const PlaneSize size = turned_size(format.luma_size(), turn);
  FrameFormat turned = with_size(format, size.width, size.height);
  if (turn.is_quarter_turn()) std::swap(turned.chroma_shift_x, turned.chroma_shift_y);
  return turned;
}

FrameFormat turned_format(const FrameFormat& format, const Orientation& turn) {
  if (turn == Orientation{}) return format;
  FrameFormat turned = with_turned_planes(format, turn);
  if (turned.chroma_shift_x != turned.chroma_shift_y && turn.is_quarter_turn()) {
    turned.chroma_shift_x = turned.chroma_shift_y = 0;
    turned.pixel_format =
        find_planar_format(format.is_rgb, format.colours, format.depth, 0, 0).value_or(AV_PIX_FMT_NONE);
  }
  if (turned.chroma_shift_x == 0 || turned.chroma_shift_y == 0) return turned;
  constexpr std::array kLocations{AVCHROMA_LOC_LEFT, AVCHROMA_LOC_CENTER,     AVCHROMA_LOC_TOPLEFT,
                                  AVCHROMA_LOC_TOP,  AVCHROMA_LOC_BOTTOMLEFT, AVCHROMA_LOC_BOTTOM};
  const ChromaOrigin origin = turned_chroma_origin(format, turn);
  for (const AVChromaLocation location : kLocations) {
    turned.colour.chroma_location = location;
    if (chroma_origin(turned) == origin) return turned;
  }
  turned.colour.chroma_location = AVCHROMA_LOC_LEFT;
  return turned;
}

TurnedPlaces turned_places(PlaneSize size, const Orientation& turn, std::ptrdiff_t stride) {
  const std::ptrdiff_t last_x = size.width - 1, last_y = size.height - 1;
  TurnedPlaces places;
  switch (turn.degrees) {
    case 90:  // (x, y) moves to column last_y - y of row x
      places = {last_y, stride, -1};
      break;
    case 180:
      places = {last_x + (last_y * stride), -1, -stride};
      break;
    case 270:  // to column y of row last_x - x
      places = {last_x * stride, -stride, 1};
      break;
    default:
      places = {0, 1, stride};
  }
  if (!turn.is_mirrored) return places;
  return {places.first + (last_x * places.across), -places.across, places.down};
}

}  // namespace weir::film
