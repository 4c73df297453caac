#include "media/film/video_codec.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "media/film/codec_table.hpp"
#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

constexpr std::array kCodecs{CodecRow{VideoCodec::x264, "x264", "libx264", 18, "medium", "crf"},
                             CodecRow{VideoCodec::x265, "x265", "libx265", 18, "medium", "crf"},
                             CodecRow{VideoCodec::av1, "av1", "libsvtav1", 30, "8", "crf"},
                             CodecRow{VideoCodec::ffv1, "ffv1", "ffv1", 0, "", ""},
                             CodecRow{VideoCodec::raw, "raw", "rawvideo", 0, "", ""},
                             CodecRow{VideoCodec::frames, "raw", "wrapped_avframe", 0, "", ""}};

bool is_raw(VideoCodec codec) { return codec == VideoCodec::raw || codec == VideoCodec::frames; }

/// Returns whether FFmpeg's encoder takes frames of this pixel format.
bool takes(const AVCodec& encoder, AVPixelFormat format) {
  if (encoder.id == AV_CODEC_ID_RAWVIDEO || encoder.id == AV_CODEC_ID_WRAPPED_AVFRAME) return true;
  if (encoder.pix_fmts == nullptr) return false;
  for (const AVPixelFormat* taken = encoder.pix_fmts; *taken != AV_PIX_FMT_NONE; ++taken)
    if (*taken == format) return true;
  return false;
}

/// Returns the format with chroma samples at distances of two pixels at most, and not farther down than across: 4:2:2
/// for 4:1:1, 4:2:0 for 4:1:0, 4:4:4 for 4:4:0. Its pixel format is NONE if FFmpeg has no such format.
FrameFormat with_denser_chroma(const FrameFormat& format) {
  FrameFormat denser = format;
  denser.chroma_shift_x = std::min(format.chroma_shift_x, 1);
  denser.chroma_shift_y = std::min(format.chroma_shift_y, denser.chroma_shift_x);
  denser.pixel_format =
      find_planar_format(format.is_rgb, format.colours, format.depth, denser.chroma_shift_x, denser.chroma_shift_y)
          .value_or(AV_PIX_FMT_NONE);
  return denser;
}

/// Returns the format with places of chroma samples of 4:2:0 that the codec can tell.
FrameFormat with_known_location(FrameFormat format, VideoCodec codec) {
  AVChromaLocation& location = format.colour.chroma_location;
  const bool is_420 = format.chroma_shift_x == 1 && format.chroma_shift_y == 1;
  const bool is_known = location != AVCHROMA_LOC_UNSPECIFIED &&
                        (codec != VideoCodec::av1 || location == AVCHROMA_LOC_LEFT || location == AVCHROMA_LOC_TOPLEFT);
  if (is_420 && !is_known) location = AVCHROMA_LOC_LEFT;
  return format;
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
    if (name == row.name && !is_raw(row.codec)) return row.codec;
  return std::nullopt;
}

Result<FrameFormat> format_for_codec(const FrameFormat& format, VideoCodec codec) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(row_of(codec).encoder);
  if (encoder == nullptr)
    return Error{Errc::unsupported, fmt::format("FFmpeg was built without the encoder {}", row_of(codec).encoder)};
  const auto can_take = [](const AVCodec& other, AVPixelFormat wanted) {
    return format_for_encoder(other, wanted) != AV_PIX_FMT_NONE;
  };
  for (const FrameFormat& stored : {format, with_denser_chroma(format)}) {
    if (stored.pixel_format != AV_PIX_FMT_NONE && can_take(*encoder, stored.pixel_format))
      return with_known_location(stored, codec);
  }
  std::string others;
  for (const CodecRow& row : kCodecs) {
    const AVCodec* other = avcodec_find_encoder_by_name(row.encoder);
    if (is_raw(row.codec) || other == nullptr || !can_take(*other, format.pixel_format)) continue;
    others += fmt::format("{}{}", others.empty() ? "" : " or ", row.name);
  }
  return Error{Errc::unsupported,
               fmt::format("{} cannot store frames of {}{}", name_of(codec), av_get_pix_fmt_name(format.pixel_format),
                           others.empty() ? "" : fmt::format("; --codec {} can", others))};
}

}  // namespace weir::film
