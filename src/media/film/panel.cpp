#include "media/film/panel.hpp"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

constexpr int kLabelsPerHeight = 24, kSmallestLabel = 10;

/// Returns the text without characters that mean something in a description of filters.
std::string plain_label(std::string text) {
  constexpr const char* kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-_()";
  for (char& letter : text)
    if (letter == '\0' || std::strchr(kPlain, letter) == nullptr) letter = '_';
  return text;
}

std::string turning_filters(const Orientation& turn) {
  std::string filters = turn.is_mirrored ? ",hflip" : "";
  if (turn.degrees == 90) filters += ",transpose=clock";
  if (turn.degrees == 180) filters += ",hflip,vflip";
  if (turn.degrees == 270) filters += ",transpose=cclock";
  return filters;
}

}  // namespace

Panel::Panel(FrameFormat from, FrameFormat to, Orientation turn, const std::string& label)
    : from_{std::move(from)}, to_{std::move(to)}, turn_{turn}, label_{plain_label(label)} {}

Status Panel::create_filter(const AVFrame& like) {
  const PlaneSize size = turned_size(to_.luma_size(), turn_);
  const char* range = to_.colour.range == AVCOL_RANGE_JPEG ? "full" : "limited";
  const std::string picture =
      fmt::format("scale=w={}:h={}:flags=bicubic:in_range={}:out_range={},format={}{}", size.width, size.height, range,
                  range, av_get_pix_fmt_name(to_.pixel_format), turning_filters(turn_));
  const int letters = std::max(to_.height / kLabelsPerHeight, kSmallestLabel);
  const std::string label = fmt::format(
      ",drawtext=text='{}':expansion=none:fontsize={}:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw={}:x={}:y={}",
      label_, letters, letters / 4, letters / 2, letters / 2);
  auto filter = FrameFilter::create(like, picture + label);
  has_label_ = static_cast<bool>(filter);
  if (!filter) filter = FrameFilter::create(like, picture);
  if (!filter) return filter.error();
  filter_ = *std::move(filter);
  return ok();
}

Status Panel::draw(const AVFrame& frame, int x, int y, AVFrame& sheet) {
  FramePtr planar{is_plain_planar(static_cast<AVPixelFormat>(frame.format)) ? av_frame_clone(&frame) : nullptr};
  if (!planar) {
    auto unpacked = unpack_frame(frame);
    if (!unpacked) return unpacked.error();
    planar = *std::move(unpacked);
  }
  planar->format = from_.pixel_format;  // the same planes, but a format that does not imply the range
  planar->color_range = from_.colour.range;
  if (!filter_)
    if (auto created = create_filter(*planar); !created) return created;
  if (auto sent = filter_->send(planar.get()); !sent) return sent;
  const auto made = filter_->receive();
  if (!made) return made.error();
  if (*made == nullptr) return Error{Errc::corrupt, "the filter scale returned fewer frames than it got"};
  copy_planes(**made, x, y, sheet);
  return ok();
}

void Panel::copy_planes(const AVFrame& made, int x, int y, AVFrame& sheet) const {
  const auto bytes = static_cast<int>(bytes_per_sample(to_.sample_type()));
  for (int plane = 0; plane < to_.colours; ++plane) {
    const int shift_x = plane == 0 ? 0 : to_.chroma_shift_x, shift_y = plane == 0 ? 0 : to_.chroma_shift_y;
    const PlaneSize size = plane == 0 ? to_.luma_size() : to_.chroma_size();
    std::uint8_t* target = sheet.data[plane] + (std::ptrdiff_t{y >> shift_y} * sheet.linesize[plane]) +
                           (std::ptrdiff_t{x >> shift_x} * bytes);
    av_image_copy_plane(target, sheet.linesize[plane], made.data[plane], made.linesize[plane], size.width * bytes,
                        size.height);
  }
}

}  // namespace weir::film
