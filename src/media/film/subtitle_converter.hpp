#pragma once

#include <memory>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// Converts text subtitles to another codec. Not thread-safe.
class SubtitleConverter {
 public:
  /// `stream`: of the source. Errors: unsupported; over_budget.
  static Result<std::unique_ptr<SubtitleConverter>> create(const AVStream& stream, AVCodecID target);

  /// The codec parameters of the converted stream.
  const AVCodecContext& encoder() const { return *encoder_; }
  /// Converts a packet of the stream: replaces its data and sets its duration, and keeps its times. Returns false for a
  /// packet that shows nothing. Errors: corrupt; over_budget.
  Result<bool> convert(AVPacket& packet);

 private:
  SubtitleConverter() = default;
  CodecPtr decoder_, encoder_;
  AVRational time_base_{0, 1};
};

}  // namespace weir::film
