#include "media/film/audio_converter.hpp"

#include <algorithm>
#include <utility>

namespace weir::film {
namespace {

constexpr int kSamplesPerPacket = 1024;  // of encoders that take any number

}  // namespace

Result<std::unique_ptr<AudioConverter>> AudioConverter::create(const AVStream& stream, const std::string& codec,
                                                               const std::optional<TimeWindow>& window) {
  std::unique_ptr<AudioConverter> converter{new AudioConverter};
  if (!converter->frame_) return Error{Errc::over_budget, "no memory for sound"};
  auto encoder = open_audio_encoder(codec, *stream.codecpar);
  if (!encoder) return encoder.error();
  converter->encoder_ = std::move(encoder->context);
  auto decoder = AudioDecoder::open(stream, window);
  if (!decoder) return decoder.error();
  converter->decoder_ = *std::move(decoder);
  const AVCodecContext& context = *converter->encoder_;
  auto samples = SampleConverter::create(
      {.format = context.sample_fmt, .rate = context.sample_rate, .channels = context.ch_layout});
  if (!samples) return samples.error();
  converter->samples_ = *std::move(samples);
  return converter;
}

Status AudioConverter::send(const AVPacket* packet) {
  if (packet == nullptr) source_ended_ = true;
  return decoder_->send(packet);
}

Result<bool> AudioConverter::receive(AVPacket& packet) {
  const int whole = encoder_->frame_size > 0 ? encoder_->frame_size : kSamplesPerPacket;
  for (;;) {
    const int result = avcodec_receive_packet(encoder_.get(), &packet);
    if (result == 0) return true;
    if (result == AVERROR_EOF) return false;
    if (result != AVERROR(EAGAIN)) return ffmpeg_error(result, "encoder of sound");
    if (samples_->available() >= whole || samples_ended_) {
      if (auto encoded = encode_frame(std::min(samples_->available(), whole)); !encoded) return encoded.error();
      continue;
    }
    auto converted = convert_piece();
    if (!converted) return converted.error();
    if (*converted) continue;
    if (!source_ended_) return false;
    samples_ended_ = true;
    if (auto flushed = samples_->flush(); !flushed) return flushed.error();
  }
}

Result<bool> AudioConverter::convert_piece() {
  if (silence_.samples > 0) {
    if (auto converted = samples_->convert(silence_); !converted) return converted.error();
    return true;
  }
  auto piece = decoder_->receive();
  if (!piece) return piece.error();
  if (!*piece) return false;
  if (!pts_) pts_ = decoder_->first_time(encoder_->time_base);
  if (auto converted = samples_->convert(**piece); !converted) return converted.error();
  silence_ = **piece;
  return true;
}

/// `samples`: 0 at the end.
Status AudioConverter::encode_frame(int samples) {
  if (samples == 0) {
    if (const int sent = avcodec_send_frame(encoder_.get(), nullptr); sent < 0 && sent != AVERROR_EOF)
      return ffmpeg_error(sent, "encoder of sound");
    return ok();
  }
  av_frame_unref(frame_.get());
  frame_->format = encoder_->sample_fmt;
  frame_->sample_rate = encoder_->sample_rate;
  frame_->ch_layout = encoder_->ch_layout;
  frame_->nb_samples = samples;
  if (const int result = av_frame_get_buffer(frame_.get(), 0); result < 0) return ffmpeg_error(result, "sound");
  samples_->take(*frame_, samples);
  frame_->pts = *pts_;
  *pts_ += samples;
  if (const int sent = avcodec_send_frame(encoder_.get(), frame_.get()); sent < 0)
    return ffmpeg_error(sent, "encoder of sound");
  return ok();
}

}  // namespace weir::film
