#include "media/film/video_codec.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "media/film/codec_table.hpp"

namespace weir::film {
namespace {

constexpr std::array kCodecs{CodecRow{VideoCodec::x264, "x264", "libx264", 18, "medium", "crf"},
                             CodecRow{VideoCodec::x265, "x265", "libx265", 18, "medium", "crf"},
                             CodecRow{VideoCodec::av1, "av1", "libsvtav1", 30, "8", "crf"},
                             CodecRow{VideoCodec::ffv1, "ffv1", "ffv1", 0, "", ""}};

/// Returns whether FFmpeg's encoder takes frames of this pixel format.
bool takes(const AVCodec& encoder, AVPixelFormat format) {
  if (encoder.pix_fmts == nullptr) return false;
  for (const AVPixelFormat* taken = encoder.pix_fmts; *taken != AV_PIX_FMT_NONE; ++taken)
    if (*taken == format) return true;
  return false;
}

/// Returns the planar format of the same kind with chroma samples at half the width; none if there is no such format.
AVPixelFormat with_half_chroma(AVPixelFormat format) {
  if (format == AV_PIX_FMT_YUV411P) return AV_PIX_FMT_YUV422P;
  if (format == AV_PIX_FMT_YUVJ411P) return AV_PIX_FMT_YUVJ422P;
  return AV_PIX_FMT_NONE;
}

}  // namespace

AVPixelFormat format_for_encoder(const AVCodec& encoder, AVPixelFormat planar) {
  if (takes(encoder, planar)) return planar;
  return planar == AV_PIX_FMT_GBRP && takes(encoder, AV_PIX_FMT_0RGB32) ? AV_PIX_FMT_0RGB32 : AV_PIX_FMT_NONE;
}

const CodecRow& row_of(VideoCodec codec) { return kCodecs[static_cast<std::size_t>(codec)]; }

std::string_view name_of(VideoCodec codec) { return row_of(codec).name; }

std::optional<VideoCodec> video_codec_named(std::string_view name) {
  for (const CodecRow& row : kCodecs)
    if (name == row.name) return row.codec;
  return std::nullopt;
}

Result<FrameFormat> format_for_codec(const FrameFormat& format, VideoCodec codec) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(row_of(codec).encoder);
  if (encoder == nullptr)
    return Error{Errc::unsupported, fmt::format("FFmpeg was built without the encoder {}", row_of(codec).encoder)};
  const auto can_take = [](const AVCodec& other, AVPixelFormat wanted) {
    return format_for_encoder(other, wanted) != AV_PIX_FMT_NONE;
  };
  if (can_take(*encoder, format.pixel_format)) return format;
  const AVPixelFormat half = with_half_chroma(format.pixel_format);
  if (half != AV_PIX_FMT_NONE && can_take(*encoder, half)) {
    FrameFormat result = format;
    result.pixel_format = half;
    result.chroma_shift_x = 1;
    return result;
  }
  std::string others;
  for (const CodecRow& row : kCodecs) {
    const AVCodec* other = avcodec_find_encoder_by_name(row.encoder);
    if (other == nullptr || !can_take(*other, format.pixel_format)) continue;
    others += fmt::format("{}{}", others.empty() ? "" : " or ", row.name);
  }
  return Error{Errc::unsupported,
               fmt::format("{} cannot store frames of {}{}", name_of(codec), av_get_pix_fmt_name(format.pixel_format),
                           others.empty() ? "" : fmt::format("; --codec {} can", others))};
}

}  // namespace weir::film
