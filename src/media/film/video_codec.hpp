#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "media/film/frame_format.hpp"

namespace weir::film {

/// The encoders of film. weir offers x264, x265, av1 and ffv1, which is lossless. The others pass the samples on: raw as the
/// bytes of a packet, for NUT, and frames as FFmpeg's own frames, which its muxer of y4m takes.
enum class VideoCodec { x264, x265, av1, ffv1, raw, frames };

/// Returns the name that users write: "x264", "x265", "av1", "ffv1"; and "raw" for the others.
std::string_view name_of(VideoCodec codec);
/// Returns the codec that users name so; empty for any other text.
std::optional<VideoCodec> video_codec_named(std::string_view name);

/// How the frames of a film are encoded. Equal settings make equal bytes of equal frames.
struct EncodeSettings {
  VideoCodec codec = VideoCodec::x264;
  std::optional<int> crf = {};  ///< quality, smaller is better; empty: 18, or 30 for av1. ffv1 has none
  std::string preset = {};      ///< of the encoder; empty: "medium", or "8" for av1
  std::vector<std::pair<std::string, std::string>> options =
      {};           ///< further options of FFmpeg's encoder, name and value
  int threads = 1;  ///< encoder threads; their number changes the bytes
};

/// Returns the format in which the codec stores frames of this format: the same format, or one with denser chroma
/// samples where few codecs have it (4:2:2 for 4:1:1, 4:2:0 for 4:1:0, 4:4:4 for 4:4:0). Bits are never dropped. AV1
/// can only tell two places of chroma samples of 4:2:0, so others become AVCHROMA_LOC_LEFT. Errors: unsupported, if the
/// codec cannot store it or FFmpeg was built without the encoder; the text names codecs that can.
Result<FrameFormat> format_for_codec(const FrameFormat& format, VideoCodec codec);

}  // namespace weir::film
