#include "media/film/sample_converter.hpp"

#include <algorithm>

#include "media/film/audio_codec.hpp"

namespace weir::film {
namespace {

/// Gives a frame buffers for samples.
Status allocate(AVFrame& frame, const SampleFormat& format, int samples) {
  av_frame_unref(&frame);
  frame.format = format.format;
  frame.sample_rate = format.rate;
  frame.ch_layout = format.channels;
  frame.nb_samples = samples;
  if (const int result = av_frame_get_buffer(&frame, 0); result < 0) return ffmpeg_error(result, "sound");
  return ok();
}

}  // namespace

Result<std::unique_ptr<SampleConverter>> SampleConverter::create(const SampleFormat& target) {
  std::unique_ptr<SampleConverter> converter{new SampleConverter};
  converter->target_ = target;
  converter->samples_.reset(av_audio_fifo_alloc(target.format, target.channels.nb_channels, kMostSamples));
  if (!converter->samples_ || !converter->converted_) return Error{Errc::over_budget, "no memory for sound"};
  return converter;
}

/// Prepares the resampler for frames like this one. Films change the form of their sound between programmes.
Status SampleConverter::configure(const AVFrame& frame) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const AVChannelLayout channels = standard_layout(frame.ch_layout);
  if (channels.order != AV_CHANNEL_ORDER_NATIVE)
    return Error{Errc::unsupported, "sound with channels of no standard layout"};
  if (resampler_ && source_.format == format && source_.rate == frame.sample_rate &&
      av_channel_layout_compare(&source_.channels, &channels) == 0)
    return ok();
  if (auto flushed = flush(); !flushed) return flushed;
  source_ = {.format = format, .rate = frame.sample_rate, .channels = channels};
  // Channels that only have other names are not mixed.
  AVChannelLayout from = channels.nb_channels == target_.channels.nb_channels ? target_.channels : channels;
  SwrContext* context = nullptr;
  int result = swr_alloc_set_opts2(&context, &target_.channels, target_.format, target_.rate, &from, format,
                                   frame.sample_rate, 0, nullptr);
  resampler_.reset(context);
  if (result >= 0) result = swr_init(context);
  if (result < 0) return ffmpeg_error(result, "sound");
  return ok();
}

Status SampleConverter::convert(AudioPiece& piece) {
  if (auto configured = configure(*piece.frame); !configured) return configured;
  const int count =
      static_cast<int>(piece.is_silence ? std::min<std::int64_t>(piece.samples, kMostSamples) : piece.samples);
  piece.samples -= count;
  FramePtr silence;
  const AVFrame* frame = piece.frame;
  if (piece.is_silence) {
    silence = make_frame();
    if (!silence) return Error{Errc::over_budget, "no memory for sound"};
    if (auto allocated = allocate(*silence, source_, count); !allocated) return allocated;
    av_samples_set_silence(silence->extended_data, 0, count, source_.channels.nb_channels, source_.format);
    frame = silence.get();
  }
  const bool is_planar = av_sample_fmt_is_planar(source_.format) != 0;
  const int channels = source_.channels.nb_channels;
  const int offset = piece.first * av_get_bytes_per_sample(source_.format) * (is_planar ? 1 : channels);
  std::vector<const std::uint8_t*> planes(static_cast<std::size_t>(is_planar ? channels : 1));
  for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = frame->extended_data[i] + offset;
  return add(planes.data(), count);
}

Status SampleConverter::flush() { return resampler_ ? add(nullptr, 0) : ok(); }

Status SampleConverter::add(const std::uint8_t* const* planes, int count) {
  const int most = swr_get_out_samples(resampler_.get(), count);
  if (most <= 0) return ok();
  if (auto allocated = allocate(*converted_, target_, most); !allocated) return allocated;
  const int made =
      swr_convert(resampler_.get(), converted_->extended_data, most, const_cast<const std::uint8_t**>(planes), count);
  if (made < 0) return ffmpeg_error(made, "sound");
  if (made == 0) return ok();
  auto* data = reinterpret_cast<void**>(converted_->extended_data);
  if (av_audio_fifo_write(samples_.get(), data, made) < made) return Error{Errc::over_budget, "no memory for sound"};
  return ok();
}

void SampleConverter::take(AVFrame& frame, int count) {
  av_audio_fifo_read(samples_.get(), reinterpret_cast<void**>(frame.extended_data), count);
}

}  // namespace weir::film
