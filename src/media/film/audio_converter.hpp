#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "media/film/audio_codec.hpp"
#include "media/film/audio_decoder.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/sample_converter.hpp"

namespace weir::film {

/// Encodes the sound of a stream anew: packets of the source in, packets of the encoder out. Memory does not grow with
/// the length of the sound. Not thread-safe.
class AudioConverter {
 public:
  /// `codec`: a name for open_audio_encoder(); `window`: sound before and after it is left out, to the sample.
  /// Errors: those of open_audio_encoder() and AudioDecoder::open().
  static Result<std::unique_ptr<AudioConverter>> create(const AVStream& stream, const std::string& codec,
                                                        const std::optional<TimeWindow>& window);

  /// The encoder; the times of the packets are in units of its time base.
  const AVCodecContext& encoder() const { return *encoder_; }
  const AudioDecoder& decoder() const { return *decoder_; }

  /// Takes a packet of the source; null at the end. Call it after receive() returned false. Errors: over_budget.
  Status send(const AVPacket* packet);
  /// Writes the next packet of the encoder. A packet of a delayed encoder begins before its sound: the first one at the time
  /// of the first sample minus AVCodecContext::initial_padding. Returns false if another packet of the source is needed, or
  /// after the last packet. Errors: those of AudioDecoder::receive(), SampleConverter::convert() and the encoder.
  Result<bool> receive(AVPacket& packet);

 private:
  AudioConverter() = default;
  /// Decodes and converts one piece. Returns false if there is none.
  Result<bool> convert_piece();
  Status encode_frame(int samples);

  std::unique_ptr<AudioDecoder> decoder_;
  std::unique_ptr<SampleConverter> samples_;
  CodecPtr encoder_;
  FramePtr frame_ = make_frame();
  AudioPiece silence_;               // the part of a piece that is not yet converted
  bool source_ended_ = false;        // send() was called with null
  bool samples_ended_ = false;       // all samples of the source are in samples_
  std::optional<std::int64_t> pts_;  // of the next frame for the encoder
};

}  // namespace weir::film
