#include "media/film/audio_summary.hpp"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "media/film/audio_codec.hpp"
#include "media/film/sample_converter.hpp"
#include "media/film/source_packets.hpp"

namespace weir::film {
namespace {

struct HashStateFreer {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

/// Decodes one stream and summarizes its sound.
class AudioSummarizer {
 public:
  static Result<std::unique_ptr<AudioSummarizer>> create(const AVStream& stream,
                                                         const std::optional<TimeWindow>& window) {
    std::unique_ptr<AudioSummarizer> made{new AudioSummarizer};
    made->summary_.unit = stream.time_base;
    made->hash_.reset(XXH3_createState());
    if (!made->hash_ || !made->frame_) return Error{Errc::over_budget, "no memory for sound"};
    XXH3_64bits_reset(made->hash_.get());
    auto decoder = AudioDecoder::open(stream, window);
    if (!decoder) return decoder.error();
    made->decoder_ = *std::move(decoder);
    return made;
  }

  /// `packet`: null at the end.
  Status add(const AVPacket* packet) {
    if (auto sent = decoder_->send(packet); !sent) return sent;
    for (;;) {
      auto piece = decoder_->receive();
      if (!piece) return piece.error();
      if (!*piece) break;
      if (auto added = add_piece(**piece); !added) return added;
    }
    if (packet != nullptr || !converter_) return ok();
    if (auto flushed = converter_->flush(); !flushed) return flushed;
    return hash_samples();
  }

  AudioSummary finish() {
    summary_.first_time = decoder_->first_time(summary_.unit);
    summary_.undecodable_packets = decoder_->undecodable_packets();
    summary_.hash = XXH3_64bits_digest(hash_.get());
    return summary_;
  }

 private:
  AudioSummarizer() = default;

  Status add_piece(AudioPiece piece) {
    if (!converter_) {
      // Samples of all whole numbers fit in 32 bits, those of all fractions in double precision.
      const AVSampleFormat decoded = av_get_packed_sample_fmt(static_cast<AVSampleFormat>(piece.frame->format));
      const bool is_float = decoded == AV_SAMPLE_FMT_FLT || decoded == AV_SAMPLE_FMT_DBL;
      format_ = {.format = is_float ? AV_SAMPLE_FMT_DBL : AV_SAMPLE_FMT_S32,
                 .rate = decoder_->rate(),
                 .channels = standard_layout(piece.frame->ch_layout)};
      summary_.rate = format_.rate;
      auto converter = SampleConverter::create(format_);
      if (!converter) return converter.error();
      converter_ = *std::move(converter);
    }
    while (piece.samples > 0) {
      if (auto converted = converter_->convert(piece); !converted) return converted;
      if (auto hashed = hash_samples(); !hashed) return hashed;
    }
    return ok();
  }

  Status hash_samples() {
    for (int count = converter_->available(); count > 0; count = converter_->available()) {
      count = std::min(count, SampleConverter::kMostSamples);
      av_frame_unref(frame_.get());
      frame_->format = format_.format;
      frame_->ch_layout = format_.channels;
      frame_->nb_samples = count;
      if (const int result = av_frame_get_buffer(frame_.get(), 0); result < 0) return ffmpeg_error(result, "sound");
      converter_->take(*frame_, count);
      const auto bytes = static_cast<std::size_t>(count) * static_cast<std::size_t>(format_.channels.nb_channels) *
                         static_cast<std::size_t>(av_get_bytes_per_sample(format_.format));
      XXH3_64bits_update(hash_.get(), frame_->data[0], bytes);
      summary_.samples += count;
    }
    return ok();
  }

  AudioSummary summary_;
  SampleFormat format_;
  std::unique_ptr<AudioDecoder> decoder_;
  std::unique_ptr<SampleConverter> converter_;
  FramePtr frame_ = make_frame();
  std::unique_ptr<XXH3_state_t, HashStateFreer> hash_;
};

/// Returns a plan with which SourcePackets reads some streams of a file, as they are.
StreamPlan plan_of_streams(const AVFormatContext& input, const std::vector<int>& streams) {
  StreamPlan plan;
  plan.container = Container::nut;  // takes packets in any form
  plan.streams.resize(input.nb_streams);
  for (int i = 0; i < static_cast<int>(input.nb_streams); ++i) plan.streams[static_cast<std::size_t>(i)].source = i;
  for (const int stream : streams) {
    PlannedStream& planned = plan.streams.at(static_cast<std::size_t>(stream));
    planned.kind = StreamKind::audio;
    planned.fate = StreamFate::copied;
  }
  return plan;
}

}  // namespace

Result<std::map<int, AudioSummary>> summarize_audio(const std::filesystem::path& path, const std::vector<int>& streams,
                                                    const std::optional<TimeWindow>& window,
                                                    const std::function<void()>& progress, std::stop_token stop) {
  auto input = open_input(path);
  if (!input) return input.error();
  const StreamPlan plan = plan_of_streams(**input, streams);
  auto packets = SourcePackets::open(path, plan, {}, std::move(stop));
  if (!packets) return packets.error();
  std::map<int, std::unique_ptr<AudioSummarizer>> summarizers;
  for (const int stream : streams) {
    auto summarizer = AudioSummarizer::create(*(*packets)->input().streams[stream], window);
    if (!summarizer) return summarizer.error();
    summarizers[stream] = *std::move(summarizer);
  }
  for (;;) {
    auto packet = (*packets)->next();
    if (!packet) return packet.error();
    if (*packet == nullptr) break;
    if (progress) progress();
    if (auto added = summarizers[(*packet)->stream_index]->add(*packet); !added) return added.error();
  }
  std::map<int, AudioSummary> summaries;
  for (auto& [stream, summarizer] : summarizers) {
    if (auto ended = summarizer->add(nullptr); !ended) return ended.error();
    summaries[stream] = summarizer->finish();
  }
  return summaries;
}

}  // namespace weir::film
