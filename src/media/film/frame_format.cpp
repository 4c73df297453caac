#include "media/film/frame_format.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <fmt/format.h>

#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

/// Full range is also expressed by pixel formats of their own (yuvj420p), which FFmpeg keeps for old programs. Returns
/// the format with the same planes that does not say the range.
AVPixelFormat without_range(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    default:
      return format;
  }
}

/// Returns whether frames of this format come from pictures, whose grey is of full range.
bool is_grey_of_pictures(AVPixelFormat format) {
  return format == AV_PIX_FMT_MONOBLACK || format == AV_PIX_FMT_MONOWHITE || format == AV_PIX_FMT_YA8 ||
         format == AV_PIX_FMT_YA16BE || format == AV_PIX_FMT_YA16LE;
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
  const auto decoded = static_cast<AVPixelFormat>(frame.format);
  const auto planar = planar_format_of(decoded);
  if (!planar) {
    const char* name = av_get_pix_fmt_name(decoded);
    return Error{Errc::unsupported, fmt::format("the pixel format {} has no planar format with the same samples",
                                                name ? name : "unknown")};
  }
  FrameFormat format;
  format.pixel_format = without_range(*planar);
  format.width = frame.width;
  format.height = frame.height;
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format.pixel_format);
  format.colours = description->nb_components;
  format.is_rgb = (description->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  format.depth = description->comp[0].depth;
  format.chroma_shift_x = description->log2_chroma_w;
  format.chroma_shift_y = description->log2_chroma_h;
  format.colour = {frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range, frame.chroma_location};
  const bool is_full_range = format.pixel_format != *planar || is_grey_of_pictures(decoded);
  if (is_full_range) format.colour.range = AVCOL_RANGE_JPEG;
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
