#include "media/film/frame_data.hpp"

#include <array>
#include <cstring>

#include <fmt/format.h>

namespace weir::film {
namespace {

struct FrameDataRow {
  AVFrameSideDataType type;
  const char* name;  ///< for people
};

/// The numbers of the rows are stored in indexes: add rows at the end.
constexpr std::array kKinds{
    FrameDataRow{AV_FRAME_DATA_A53_CC, "closed captions"},
    FrameDataRow{AV_FRAME_DATA_DOVI_RPU_BUFFER, "Dolby Vision metadata"},
    FrameDataRow{AV_FRAME_DATA_DOVI_METADATA, "Dolby Vision metadata"},
    FrameDataRow{AV_FRAME_DATA_DYNAMIC_HDR_PLUS, "HDR10+ metadata"},
    FrameDataRow{AV_FRAME_DATA_DYNAMIC_HDR_VIVID, "HDR Vivid metadata"},
    FrameDataRow{AV_FRAME_DATA_FILM_GRAIN_PARAMS, "film grain that players add"},
    FrameDataRow{AV_FRAME_DATA_S12M_TIMECODE, "time codes (SMPTE 12M)"},
    FrameDataRow{AV_FRAME_DATA_AFD, "the active format description (AFD)"},
    FrameDataRow{AV_FRAME_DATA_ICC_PROFILE, "an ICC colour profile"},
};
static_assert(kKinds.size() <= 10, "each kind is a digit in the lines of an index");

}  // namespace

std::uint32_t frame_data_kinds(const AVFrame& frame) {
  std::uint32_t kinds = 0;
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (av_frame_get_side_data(&frame, kKinds[i].type) != nullptr) kinds |= std::uint32_t{1} << i;
  return kinds;
}

std::vector<std::string> find_lost_frame_data(std::uint32_t kinds, VideoCodec codec) {
  std::vector<std::string> lost;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if ((kinds >> i & 1) == 0) continue;
    const bool is_captions = kKinds[i].type == AV_FRAME_DATA_A53_CC;
    if (is_captions && codec == VideoCodec::x264) continue;  // its encoder writes them
    std::string line = fmt::format("{}, which frames of the film carry", kKinds[i].name);
    if (is_captions) line += fmt::format(" ({} cannot store them here; x264 can)", name_of(codec));
    if (lost.empty() || lost.back() != line) lost.push_back(std::move(line));
  }
  return lost;
}

std::span<const std::uint8_t> captions_of(const AVFrame& frame) {
  const AVFrameSideData* data = av_frame_get_side_data(&frame, AV_FRAME_DATA_A53_CC);
  if (data == nullptr) return {};
  return {data->data, data->size};
}

Status add_captions(std::span<const std::uint8_t> captions, AVFrame& frame) {
  if (captions.empty()) return ok();
  AVFrameSideData* data = av_frame_new_side_data(&frame, AV_FRAME_DATA_A53_CC, captions.size());
  if (data == nullptr) return Error{Errc::over_budget, "no memory for captions"};
  std::memcpy(data->data, captions.data(), captions.size());
  return ok();
}

}  // namespace weir::film
