#include "media/film/packet_converter.hpp"

#include <iterator>
#include <utility>

namespace weir::film {
namespace {

/// MPEG transport streams have a header (ADTS) in each packet of AAC; other containers have it once, beside the
/// packets.
bool has_adts_headers(const AVStream& stream) {
  return stream.codecpar->codec_id == AV_CODEC_ID_AAC && stream.codecpar->extradata_size == 0;
}

}  // namespace

bool is_subtitle_gap(const AVPacket& packet, AVCodecID codec) {
  // The text begins with its length in 16 bits.
  return codec == AV_CODEC_ID_MOV_TEXT && packet.size >= 2 && packet.data[0] == 0 && packet.data[1] == 0;
}

Result<std::unique_ptr<PacketConverter>> PacketConverter::create(AVFormatContext& input, const StreamPlan& plan,
                                                                 const std::optional<TimeWindow>& window) {
  std::unique_ptr<PacketConverter> converter{new PacketConverter{input, plan.streams.size()}};
  for (unsigned i = 0; i < input.nb_streams; ++i)
    if (static_cast<int>(i) != plan.video_stream) input.streams[i]->discard = AVDISCARD_ALL;
  for (const PlannedStream& planned : plan.streams)
    if (auto prepared = converter->prepare(planned, plan, window); !prepared) return prepared.error();
  return converter;
}

Status PacketConverter::prepare(const PlannedStream& planned, const StreamPlan& plan,
                                const std::optional<TimeWindow>& window) {
  const bool has_packets = planned.fate == StreamFate::copied || planned.fate == StreamFate::converted;
  if (!has_packets || planned.kind == StreamKind::attachment || planned.kind == StreamKind::cover) return ok();
  AVStream& stream = *input_.streams[planned.source];
  stream.discard = AVDISCARD_DEFAULT;
  if (StreamPlan::is_encoded_audio(planned)) {
    auto converter = AudioConverter::create(stream, plan.audio, window);
    if (!converter) return converter.error();
    audio_[planned.source] = *std::move(converter);
  } else if (planned.fate == StreamFate::converted) {
    auto converter = SubtitleConverter::create(stream, planned.codec);
    if (!converter) return converter.error();
    converters_[planned.source] = *std::move(converter);
  } else if (has_adts_headers(stream) && plan.container != Container::nut) {
    AVBSFContext* filter = nullptr;
    const AVBitStreamFilter* adts = av_bsf_get_by_name("aac_adtstoasc");
    if (adts == nullptr) return Error{Errc::unsupported, "FFmpeg was built without aac_adtstoasc"};
    if (const int result = av_bsf_alloc(adts, &filter); result < 0) return ffmpeg_error(result, "aac_adtstoasc");
    filters_[planned.source].reset(filter);
    if (const int result = avcodec_parameters_copy(filter->par_in, stream.codecpar); result < 0)
      return ffmpeg_error(result, "aac_adtstoasc");
    filter->time_base_in = stream.time_base;
    if (const int result = av_bsf_init(filter); result < 0) return ffmpeg_error(result, "aac_adtstoasc");
  }
  return ok();
}

Status PacketConverter::describe(const PlannedStream& planned, AVCodecParameters& parameters) const {
  const auto converter = converters_.find(planned.source);
  const AudioConverter* audio = audio_converter(planned.source);
  const AVCodecContext* encoder = audio != nullptr                 ? &audio->encoder()
                                  : converter != converters_.end() ? &converter->second->encoder()
                                                                   : nullptr;
  const int result = encoder != nullptr
                         ? avcodec_parameters_from_context(&parameters, encoder)
                         : avcodec_parameters_copy(&parameters, input_.streams[planned.source]->codecpar);
  if (result < 0) return ffmpeg_error(result, "a copied stream");
  return ok();
}

Result<bool> PacketConverter::convert(AVPacket& packet) {
  // Covers come as packets too, and streams that appear late are not in the plan.
  const auto index = static_cast<std::size_t>(packet.stream_index);
  if (index >= planned_streams_ || input_.streams[index]->discard == AVDISCARD_ALL) return false;
  complete_times(packet);
  packet.time_base = input_.streams[index]->time_base;
  if (const auto audio = audio_.find(packet.stream_index); audio != audio_.end()) {
    active_audio_ = audio->first;
    if (auto sent = audio->second->send(&packet); !sent) return sent.error();
    return false;
  }
  if (is_subtitle_gap(packet, input_.streams[packet.stream_index]->codecpar->codec_id)) return false;
  if (const auto filter = filters_.find(packet.stream_index); filter != filters_.end()) {
    if (av_bsf_send_packet(filter->second.get(), &packet) < 0 ||
        av_bsf_receive_packet(filter->second.get(), &packet) < 0) {
      ++skipped_;
      return false;
    }
  }
  if (const auto converter = converters_.find(packet.stream_index); converter != converters_.end()) {
    auto converted = converter->second->convert(packet);
    if (!converted && converted.error().code == Errc::over_budget) return converted.error();
    if (!converted) ++skipped_;
    return converted && *converted;
  }
  return true;
}

Result<bool> PacketConverter::receive_audio(AVPacket& packet) {
  if (!active_audio_) return false;
  AudioConverter& converter = *audio_[*active_audio_];
  auto received = converter.receive(packet);
  if (!received) return received.error();
  if (!*received) {
    active_audio_.reset();
    return false;
  }
  packet.stream_index = *active_audio_;
  packet.time_base = converter.encoder().time_base;
  if (packet.dts == AV_NOPTS_VALUE) packet.dts = packet.pts;
  return true;
}

Result<bool> PacketConverter::end_audio() {
  if (ended_audio_ == audio_.size()) return false;
  const auto entry = std::next(audio_.begin(), static_cast<std::ptrdiff_t>(ended_audio_++));
  active_audio_ = entry->first;
  if (auto sent = entry->second->send(nullptr); !sent) return sent.error();
  return true;
}

const AudioConverter* PacketConverter::audio_converter(int source) const {
  const auto found = audio_.find(source);
  return found == audio_.end() ? nullptr : found->second.get();
}

void PacketConverter::complete_times(AVPacket& packet) {
  if (packet.dts == AV_NOPTS_VALUE) {
    const auto end = ends_.find(packet.stream_index);
    packet.dts = packet.pts != AV_NOPTS_VALUE ? packet.pts : end != ends_.end() ? end->second : 0;
  }
  if (packet.pts == AV_NOPTS_VALUE) packet.pts = packet.dts;
  ends_[packet.stream_index] = packet.pts + packet.duration;
}

}  // namespace weir::film
