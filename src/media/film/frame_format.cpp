#include "media/film/frame_format.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <fmt/format.h>

namespace weir::film {
namespace {

/// Full range is also expressed by pixel formats of their own (yuvj420p), which FFmpeg keeps for old programs.
bool has_full_range_format(AVPixelFormat format) {
  return format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P ||
         format == AV_PIX_FMT_YUVJ440P || format == AV_PIX_FMT_YUVJ411P;
}

constexpr int kMostRowsOfPal = 576;
constexpr int kMostRowsOfNtsc = 486;

/// Completes the tags of a film of Y, Cb and Cr, and lists those that were missing.
void guess_missing_tags(FrameFormat& format) {
  ColourTags& colour = format.colour;
  const bool is_pal = format.height > kMostRowsOfNtsc && format.height <= kMostRowsOfPal;
  const bool is_ntsc = format.height <= kMostRowsOfNtsc;
  if (colour.matrix == AVCOL_SPC_UNSPECIFIED) {
    colour.matrix = is_pal ? AVCOL_SPC_BT470BG : is_ntsc ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT709;
    format.guessed.emplace_back("matrix");
  }
  if (colour.primaries == AVCOL_PRI_UNSPECIFIED) {
    colour.primaries = is_pal ? AVCOL_PRI_BT470BG : is_ntsc ? AVCOL_PRI_SMPTE170M : AVCOL_PRI_BT709;
    format.guessed.emplace_back("primaries");
  }
  if (colour.transfer == AVCOL_TRC_UNSPECIFIED) {
    // BT.601 has one curve for PAL and NTSC.
    colour.transfer = is_pal || is_ntsc ? AVCOL_TRC_SMPTE170M : AVCOL_TRC_BT709;
    format.guessed.emplace_back("transfer");
  }
  if (colour.range == AVCOL_RANGE_UNSPECIFIED) {
    colour.range = AVCOL_RANGE_MPEG;
    format.guessed.emplace_back("range");
  }
  const bool is_420 = format.chroma_shift_x == 1 && format.chroma_shift_y == 1;
  if (is_420 && colour.chroma_location == AVCHROMA_LOC_UNSPECIFIED) {
    colour.chroma_location = AVCHROMA_LOC_LEFT;
    format.guessed.emplace_back("chroma location");
  }
}

}  // namespace

Result<FrameFormat> describe_format(const AVFrame& frame) {
  FrameFormat format;
  format.pixel_format = static_cast<AVPixelFormat>(frame.format);
  format.width = frame.width;
  format.height = frame.height;
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format.pixel_format);
  if (description == nullptr) return Error{Errc::unsupported, "frames of an unknown pixel format"};
  const auto refuse = [&](const char* why) {
    return Error{Errc::unsupported, fmt::format("the pixel format {} {}", description->name, why)};
  };
  const int planes = av_pix_fmt_count_planes(format.pixel_format);
  format.colours = description->nb_components;
  format.is_rgb = (description->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  format.depth = description->comp[0].depth;
  format.chroma_shift_x = description->log2_chroma_w;
  format.chroma_shift_y = description->log2_chroma_h;
  if ((description->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0) return refuse("is in a GPU's memory");
  if ((description->flags & AV_PIX_FMT_FLAG_ALPHA) != 0) return refuse("has alpha, which films cannot keep here");
  if (planes != format.colours || (format.colours != 1 && format.colours != 3)) return refuse("is not planar");
  if ((description->flags & (AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL)) != 0)
    return refuse("has samples that are not integers of this machine");
  if (format.depth < 8 || format.depth > 16 || description->comp[0].shift != 0)
    return refuse("has samples that are not of 8 to 16 bits");
  format.colour = {frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range, frame.chroma_location};
  if (has_full_range_format(format.pixel_format)) format.colour.range = AVCOL_RANGE_JPEG;
  if (format.is_rgb) {
    format.colour.matrix = AVCOL_SPC_RGB;
    if (format.colour.range == AVCOL_RANGE_UNSPECIFIED) format.colour.range = AVCOL_RANGE_JPEG;
  } else {
    if (format.colour.matrix == AVCOL_SPC_RGB) format.colour.matrix = AVCOL_SPC_UNSPECIFIED;
    guess_missing_tags(format);
  }
  return format;
}

FrameFormat with_size(FrameFormat format, int width, int height) {
  format.width = width;
  format.height = height;
  return format;
}

}  // namespace weir::film
