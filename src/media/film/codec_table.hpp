#pragma once

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

}  // namespace weir::film
