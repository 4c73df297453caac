#include "media/film/audio_decoder.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace weir::film {
namespace {

/// Times that differ from the number of samples by less are rounded ones: containers store ms, and some writers are less
/// exact. Moving the sound for them would be heard at every packet.
constexpr AVRational kTimeTolerance{5, 1000};
constexpr int kToleranceUnits = 3;  // or so many units of the stream, if that is more

constexpr std::int64_t kLongestGapSeconds = std::int64_t{6} * 3600;

}  // namespace

Result<std::unique_ptr<AudioDecoder>> AudioDecoder::open(const AVStream& stream,
                                                         const std::optional<TimeWindow>& window) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  const std::string name = fmt::format("sound of stream {}", stream.index);
  if (codec == nullptr)
    return Error{Errc::unsupported,
                 fmt::format("{}: FFmpeg has no decoder for {}", name, avcodec_get_name(stream.codecpar->codec_id))};
  std::unique_ptr<AudioDecoder> decoder{new AudioDecoder};
  decoder->unit_ = stream.time_base;
  decoder->window_ = window;
  decoder->decoder_.reset(avcodec_alloc_context3(codec));
  if (!decoder->decoder_ || !decoder->frame_) return Error{Errc::over_budget, "no memory for a decoder"};
  if (const int result = avcodec_parameters_to_context(decoder->decoder_.get(), stream.codecpar); result < 0)
    return ffmpeg_error(result, name);
  decoder->decoder_->pkt_timebase = stream.time_base;
  if (const int result = avcodec_open2(decoder->decoder_.get(), codec, nullptr); result < 0)
    return ffmpeg_error(result, name);
  return decoder;
}

Status AudioDecoder::send(const AVPacket* packet) {
  // A packet of no data would end the decoding early.
  if (packet != nullptr && packet->size == 0 && packet->side_data_elems == 0) return ok();
  const int sent = avcodec_send_packet(decoder_.get(), packet);
  if (sent == AVERROR(ENOMEM)) return ffmpeg_error(sent, "sound");
  if (sent < 0 && sent != AVERROR_EOF) ++undecodable_;
  return ok();
}

Result<std::optional<AudioPiece>> AudioDecoder::receive() {
  for (;;) {
    if (!has_frame_) {
      av_frame_unref(frame_.get());
      const int result = avcodec_receive_frame(decoder_.get(), frame_.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return std::optional<AudioPiece>{};
      if (result == AVERROR(ENOMEM)) return ffmpeg_error(result, "sound");
      if (result < 0) {
        ++undecodable_;
        return std::optional<AudioPiece>{};
      }
      if (frame_->nb_samples <= 0 || frame_->sample_rate <= 0) continue;
      if (auto placed = place_frame(); !placed) return placed.error();
    }
    AudioPiece piece;
    if (silence_ > 0) {
      piece = take(true, 0, silence_);
      silence_ = 0;
    } else {
      has_frame_ = false;
      piece = take(false, dropped_, frame_->nb_samples - dropped_);
    }
    if (piece.samples > 0) return std::optional{piece};
  }
}

/// Decides which samples of the frame are used, and how much silence is before them.
Status AudioDecoder::place_frame() {
  if (origin_ == AV_NOPTS_VALUE) begin_at(frame_->pts == AV_NOPTS_VALUE ? 0 : frame_->pts);
  if (frame_->sample_rate != rate_) change_rate(frame_->sample_rate);
  has_frame_ = true;
  dropped_ = 0;
  if (frame_->pts == AV_NOPTS_VALUE) return ok();
  const AVRational sample{1, rate_};
  const std::int64_t difference = difference_in(frame_->pts, unit_, origin_, unit_, sample) - position_;
  const std::int64_t tolerance =
      std::max(av_rescale_q(1, kTimeTolerance, sample), av_rescale_q(kToleranceUnits, unit_, sample));
  if (difference > kLongestGapSeconds * rate_ || difference < -kLongestGapSeconds * rate_)
    return Error{Errc::corrupt,
                 fmt::format("the times of the sound jump by {} s after {} s", difference / rate_, position_ / rate_)};
  if (difference > tolerance) {
    silence_ = difference;
    silence_seconds_ += static_cast<double>(silence_) / rate_;
  } else if (difference < -tolerance) {
    dropped_ = static_cast<int>(std::min<std::int64_t>(-difference, frame_->nb_samples));
    dropped_seconds_ += static_cast<double>(dropped_) / rate_;
  }
  return ok();
}

void AudioDecoder::begin_at(std::int64_t pts) {
  origin_ = pts;
  rate_ = first_rate_ = frame_->sample_rate;
  if (!window_) return;
  const AVRational sample{1, rate_};
  begin_ = std::max<std::int64_t>(0, difference_in(window_->begin, window_->unit, origin_, unit_, sample, AV_ROUND_UP));
  if (window_->end) end_ = difference_in(*window_->end, window_->unit, origin_, unit_, sample, AV_ROUND_UP);
}

void AudioDecoder::change_rate(int rate) {
  position_ = av_rescale(position_, rate, rate_);
  begin_ = av_rescale(begin_, rate, rate_);
  if (end_) *end_ = av_rescale(*end_, rate, rate_);
  rate_ = rate;
}

/// Moves the position over samples of the frame or of silence, and returns those of them that are in the window.
AudioPiece AudioDecoder::take(bool is_silence, int first, std::int64_t samples) {
  std::int64_t begin = std::max(position_, begin_);
  const std::int64_t end = std::min(position_ + samples, end_.value_or(position_ + samples));
  begin = std::min(begin, std::max(end, position_));
  const AudioPiece piece{.frame = frame_.get(),
                         .is_silence = is_silence,
                         .first = first + static_cast<int>(is_silence ? 0 : begin - position_),
                         .samples = std::max<std::int64_t>(0, end - begin)};
  if (piece.samples > 0 && !has_first_) {
    has_first_ = true;
    first_ = av_rescale(begin, first_rate_, rate_);
  }
  position_ += samples;
  return piece;
}

std::int64_t AudioDecoder::first_time(AVRational unit) const {
  // Minus the negative origin is the origin plus the position.
  return origin_ == AV_NOPTS_VALUE ? 0 : difference_in(first_, {1, first_rate_}, -origin_, unit_, unit);
}

}  // namespace weir::film
