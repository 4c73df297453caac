#include "media/film/display.hpp"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/mastering_display_metadata.h>
}

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "media/film/stream_side_data.hpp"

namespace weir::film {
namespace {

// Units of HdrData::mastering_display.
constexpr int kPlacesPerOne = 50000;
constexpr int kLuminancesPerCandela = 10000;
constexpr std::int32_t kOne = 1 << 16;  // 1 in a display matrix, except its last column

using Matrix = std::array<std::int32_t, 9>;

/// The matrix maps row vectors (x, y, 1) to the screen, with y downwards.
Matrix matrix_of(const Orientation& orientation, int width, int height) {
  constexpr std::array<std::array<int, 4>, 4> kTurns{{{1, 0, 0, 1}, {0, 1, -1, 0}, {-1, 0, 0, -1}, {0, -1, 1, 0}}};
  auto [a, b, c, d] = kTurns[static_cast<std::size_t>(((orientation.degrees / 90) % 4 + 4) % 4)];
  if (orientation.is_mirrored) {
    a = -a;
    b = -b;
  }
  // The picture is moved so that its upper left corner is at the origin.
  const int x = std::min(0, a * width) + std::min(0, c * height);
  const int y = std::min(0, b * width) + std::min(0, d * height);
  return {a * kOne, b * kOne, 0, c * kOne, d * kOne, 0, -x * kOne, -y * kOne, 1 << 30};
}

AVRational rational(int value, int units) { return {value, units}; }

Status add_hdr(const HdrData& hdr, AVStream& stream) {
  if (const auto& m = hdr.mastering_display) {
    struct Freer {
      void operator()(AVMasteringDisplayMetadata* data) const { av_free(data); }
    };
    const std::unique_ptr<AVMasteringDisplayMetadata, Freer> data{av_mastering_display_metadata_alloc()};
    if (!data) return Error{Errc::over_budget, "no memory for a stream"};
    constexpr std::array kGreenBlueRed{1, 2, 0};  // the places of these colours in FFmpeg's list
    for (std::size_t colour = 0; colour < 3; ++colour)
      for (std::size_t axis = 0; axis < 2; ++axis)
        data->display_primaries[kGreenBlueRed[colour]][axis] = rational((*m)[(colour * 2) + axis], kPlacesPerOne);
    data->white_point[0] = rational((*m)[6], kPlacesPerOne);
    data->white_point[1] = rational((*m)[7], kPlacesPerOne);
    data->max_luminance = rational((*m)[8], kLuminancesPerCandela);
    data->min_luminance = rational((*m)[9], kLuminancesPerCandela);
    data->has_primaries = 1;
    data->has_luminance = 1;
    if (auto added = add_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, data.get(), sizeof *data); !added)
      return added;
  }
  if (const auto& light = hdr.content_light) {
    AVContentLightMetadata data{};
    data.MaxCLL = static_cast<unsigned>((*light)[0]);
    data.MaxFALL = static_cast<unsigned>((*light)[1]);
    return add_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, &data, sizeof data);
  }
  return ok();
}

}  // namespace

Orientation orientation_of(const AVStream& stream) {
  const std::uint8_t* data = find_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX);
  if (data == nullptr) return {};
  Matrix matrix{};
  std::memcpy(matrix.data(), data, sizeof matrix);
  for (const bool is_mirrored : {false, true}) {
    for (const int degrees : {0, 90, 180, 270}) {
      const Matrix turned = matrix_of({is_mirrored, degrees}, 0, 0);
      // The position and the scale are not part of the orientation.
      const auto has_sign_of = [&](std::size_t i) {
        return (matrix[i] > 0) == (turned[i] > 0) && (matrix[i] < 0) == (turned[i] < 0);
      };
      if (has_sign_of(0) && has_sign_of(1) && has_sign_of(3) && has_sign_of(4)) return {is_mirrored, degrees};
    }
  }
  return {};
}

Status apply_display(const DisplayProperties& display, bool with_orientation, AVStream& stream) {
  AVCodecParameters& parameters = *stream.codecpar;
  const ColourTags& colour = display.colour;
  if (colour.matrix != AVCOL_SPC_UNSPECIFIED) parameters.color_space = colour.matrix;
  if (colour.primaries != AVCOL_PRI_UNSPECIFIED) parameters.color_primaries = colour.primaries;
  if (colour.transfer != AVCOL_TRC_UNSPECIFIED) parameters.color_trc = colour.transfer;
  if (colour.range != AVCOL_RANGE_UNSPECIFIED) parameters.color_range = colour.range;
  if (colour.chroma_location != AVCHROMA_LOC_UNSPECIFIED) parameters.chroma_location = colour.chroma_location;
  parameters.field_order = display.field_order;
  if (display.sample_aspect.numerator > 0) {
    stream.sample_aspect_ratio = {display.sample_aspect.numerator, display.sample_aspect.denominator};
    parameters.sample_aspect_ratio = stream.sample_aspect_ratio;
  }
  if (with_orientation && display.orientation != Orientation{}) {
    const Matrix matrix = matrix_of(display.orientation, parameters.width, parameters.height);
    if (auto added = add_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, matrix.data(), sizeof matrix); !added)
      return added;
  }
  return add_hdr(display.hdr, stream);
}

}  // namespace weir::film
