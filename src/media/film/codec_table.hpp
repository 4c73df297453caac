#pragma once

#include "media/film/ffmpeg.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// What the encoders differ in.
struct CodecRow {
  VideoCodec codec;
  const char* name;     ///< for users
  const char* encoder;  ///< FFmpeg's name
  int default_crf;
  const char* default_preset;  ///< empty: the encoder has no presets
  const char* crf_option;      ///< FFmpeg's name of the quality; empty: the encoder has none
};

/// Returns the row of a codec.
const CodecRow& row_of(VideoCodec codec);

/// Returns the pixel format in which FFmpeg's encoder takes the samples of a planar format: the format itself, or for
/// RGB of 8 bits one with the colours of a pixel side by side (AV_PIX_FMT_0RGB32), which FFV1 needs. NONE if it takes
/// neither.
AVPixelFormat format_for_encoder(const AVCodec& encoder, AVPixelFormat planar);

}  // namespace weir::film
