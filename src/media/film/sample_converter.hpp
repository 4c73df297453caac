#pragma once

extern "C" {
#include <libavutil/audio_fifo.h>
#include <libswresample/swresample.h>
}

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "media/film/audio_decoder.hpp"
#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// The form of samples of sound.
struct SampleFormat {
  AVSampleFormat format = AV_SAMPLE_FMT_NONE;
  int rate = 0;                   ///< per second and channel
  AVChannelLayout channels = {};  ///< AV_CHANNEL_ORDER_NATIVE
};

/// Converts decoded sound to one form and holds the result until it is taken. Samples that have this form already are
/// not changed. The first sample of the result is at the time of the first sample of the source. Not thread-safe.
class SampleConverter {
 public:
  static constexpr int kMostSamples = 8192;  ///< of silence that one call of convert() makes

  /// Errors: over_budget.
  static Result<std::unique_ptr<SampleConverter>> create(const SampleFormat& target);

  /// Converts a piece. Of a longer piece of silence it converts the beginning, and removes it from the piece.
  /// Errors: over_budget; unsupported.
  Status convert(AudioPiece& piece);
  /// Converts what the resampler holds. Errors: over_budget.
  Status flush();

  int available() const { return av_audio_fifo_size(samples_.get()); }  ///< samples per channel
  /// Moves the first `count` samples to a frame that has buffers for them. `count` is at most available().
  void take(AVFrame& frame, int count);

 private:
  SampleConverter() = default;
  Status configure(const AVFrame& frame);
  Status add(const std::uint8_t* const* planes, int count);

  struct ResamplerFreer {
    void operator()(SwrContext* context) const { swr_free(&context); }
  };
  struct SamplesFreer {
    void operator()(AVAudioFifo* samples) const { av_audio_fifo_free(samples); }
  };
  SampleFormat target_;
  SampleFormat source_;  // of the frames that resampler_ takes
  std::unique_ptr<SwrContext, ResamplerFreer> resampler_;
  std::unique_ptr<AVAudioFifo, SamplesFreer> samples_;
  FramePtr converted_ = make_frame();
};

}  // namespace weir::film
