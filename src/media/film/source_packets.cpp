#include "media/film/source_packets.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::film {
namespace {

constexpr int kMaxUnreadableReads = 1000;  // in sequence; a demuxer that cannot resume reports the same error for ever

/// MPEG transport streams have a header (ADTS) in each packet of AAC; other containers have it once, beside the packets.
bool has_adts_headers(const AVStream& stream) {
  return stream.codecpar->codec_id == AV_CODEC_ID_AAC && stream.codecpar->extradata_size == 0;
}

}  // namespace

bool is_subtitle_gap(const AVPacket& packet, AVCodecID codec) {
  // The text begins with its length in 16 bits.
  return codec == AV_CODEC_ID_MOV_TEXT && packet.size >= 2 && packet.data[0] == 0 && packet.data[1] == 0;
}

Result<std::unique_ptr<SourcePackets>> SourcePackets::open(const std::filesystem::path& path, const StreamPlan& plan,
                                                           std::stop_token stop) {
  auto input = open_input(path);
  if (!input) return input.error();
  std::unique_ptr<SourcePackets> packets{new SourcePackets{plan}};
  packets->path_ = path;
  packets->stop_ = std::move(stop);
  packets->input_ = *std::move(input);
  if (!packets->packet_) return Error{Errc::over_budget, "no memory for a packet"};
  if (packets->input_->nb_streams < plan.streams.size())
    return Error{Errc::corrupt, fmt::format("{}: it has other streams than before", printable(path.string()))};
  for (unsigned i = 0; i < packets->input_->nb_streams; ++i) packets->input_->streams[i]->discard = AVDISCARD_ALL;
  for (const PlannedStream& planned : plan.streams)
    if (auto prepared = packets->prepare(planned); !prepared) return prepared.error();
  return packets;
}

Status SourcePackets::prepare(const PlannedStream& planned) {
  const bool has_packets = planned.fate == StreamFate::copied || planned.fate == StreamFate::converted;
  if (!has_packets || planned.kind == StreamKind::attachment || planned.kind == StreamKind::cover) return ok();
  AVStream& stream = *input_->streams[planned.source];
  stream.discard = AVDISCARD_DEFAULT;
  if (planned.fate == StreamFate::converted) {
    auto converter = SubtitleConverter::create(stream, planned.codec);
    if (!converter) return converter.error();
    converters_[planned.source] = *std::move(converter);
  } else if (has_adts_headers(stream) && plan_.container != Container::nut) {
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

Status SourcePackets::describe(const PlannedStream& planned, AVCodecParameters& parameters) const {
  const auto converter = converters_.find(planned.source);
  const int result = converter != converters_.end()
                         ? avcodec_parameters_from_context(&parameters, &converter->second->encoder())
                         : avcodec_parameters_copy(&parameters, input_->streams[planned.source]->codecpar);
  if (result < 0) return ffmpeg_error(result, printable(path_.string()));
  return ok();
}

Result<AVPacket*> SourcePackets::next() {
  for (int unreadable = 0;;) {
    av_packet_unref(packet_.get());
    const int result = av_read_frame(input_.get(), packet_.get());
    if (stop_.stop_requested()) return Error{Errc::cancelled, "stopped"};
    if (result == AVERROR_EOF) {
      if (input_->pb != nullptr && input_->pb->error < 0 && input_->pb->error != AVERROR_EOF)
        return ffmpeg_error(input_->pb->error, printable(path_.string()));
      return static_cast<AVPacket*>(nullptr);
    }
    if (result == AVERROR_INVALIDDATA || result == AVERROR(EAGAIN)) {
      ++skipped_;
      if (++unreadable > kMaxUnreadableReads) return ffmpeg_error(AVERROR_INVALIDDATA, printable(path_.string()));
      continue;
    }
    if (result < 0) return ffmpeg_error(result, printable(path_.string()));
    // Covers come as packets too, and streams that appear late are not in the plan.
    const auto index = static_cast<std::size_t>(packet_->stream_index);
    if (index >= plan_.streams.size() || input_->streams[index]->discard == AVDISCARD_ALL) continue;
    auto converted = convert();
    if (!converted) return converted.error();
    if (*converted) return packet_.get();
  }
}

Result<bool> SourcePackets::convert() {
  complete_times();
  if (is_subtitle_gap(*packet_, input_->streams[packet_->stream_index]->codecpar->codec_id)) return false;
  if (const auto filter = filters_.find(packet_->stream_index); filter != filters_.end()) {
    if (av_bsf_send_packet(filter->second.get(), packet_.get()) < 0 ||
        av_bsf_receive_packet(filter->second.get(), packet_.get()) < 0) {
      ++skipped_;
      return false;
    }
  }
  if (const auto converter = converters_.find(packet_->stream_index); converter != converters_.end()) {
    auto converted = converter->second->convert(*packet_);
    if (!converted && converted.error().code == Errc::over_budget) return converted.error();
    if (!converted) ++skipped_;
    return converted && *converted;
  }
  return true;
}

void SourcePackets::complete_times() {
  AVPacket& packet = *packet_;
  if (packet.dts == AV_NOPTS_VALUE) {
    const auto end = ends_.find(packet.stream_index);
    packet.dts = packet.pts != AV_NOPTS_VALUE ? packet.pts : end != ends_.end() ? end->second : 0;
  }
  if (packet.pts == AV_NOPTS_VALUE) packet.pts = packet.dts;
  ends_[packet.stream_index] = packet.pts + packet.duration;
}

}  // namespace weir::film
