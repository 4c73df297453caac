#include "media/film/source_packets.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::film {
namespace {

constexpr int kMaxUnreadableReads = 1000;  // in sequence; a demuxer that cannot resume reports the same error for ever

}  // namespace

Result<std::unique_ptr<SourcePackets>> SourcePackets::open(const std::filesystem::path& path, const StreamPlan& plan,
                                                           const std::optional<TimeWindow>& window,
                                                           std::stop_token stop) {
  auto input = open_input(path);
  if (!input) return input.error();
  std::unique_ptr<SourcePackets> packets{new SourcePackets};
  packets->path_ = path;
  packets->window_ = window;
  packets->stop_ = std::move(stop);
  packets->input_ = *std::move(input);
  if (!packets->packet_) return Error{Errc::over_budget, "no memory for a packet"};
  if (packets->input_->nb_streams < plan.streams.size())
    return Error{Errc::corrupt, fmt::format("{}: it has other streams than before", printable(path.string()))};
  packets->input_->streams[plan.video_stream]->discard = AVDISCARD_ALL;  // the segments replace it
  auto converter = PacketConverter::create(*packets->input_, plan, window);
  if (!converter) return converter.error();
  packets->converter_ = *std::move(converter);
  return packets;
}

Result<AVPacket*> SourcePackets::next() {
  for (;;) {
    av_packet_unref(packet_.get());
    if (stop_.stop_requested()) return Error{Errc::cancelled, "stopped"};
    auto is_audio = converter_->receive_audio(*packet_);
    if (!is_audio) return is_audio.error();
    if (*is_audio) return packet_.get();
    auto is_read = read();
    if (!is_read) return is_read.error();
    if (!*is_read) {
      auto has_more = converter_->end_audio();
      if (!has_more) return has_more.error();
      if (*has_more) continue;
      return static_cast<AVPacket*>(nullptr);
    }
    auto converted = converter_->convert(*packet_);
    if (!converted) return converted.error();
    if (*converted && cut_to_window()) return packet_.get();
  }
}

Result<bool> SourcePackets::read() {
  for (int unreadable = 0;;) {
    av_packet_unref(packet_.get());
    const int result = av_read_frame(input_.get(), packet_.get());
    if (stop_.stop_requested()) return Error{Errc::cancelled, "stopped"};
    if (result == AVERROR_EOF) {
      if (input_->pb != nullptr && input_->pb->error < 0 && input_->pb->error != AVERROR_EOF)
        return ffmpeg_error(input_->pb->error, printable(path_.string()));
      return false;
    }
    if (result == AVERROR_INVALIDDATA || result == AVERROR(EAGAIN)) {
      ++skipped_;
      if (++unreadable > kMaxUnreadableReads) return ffmpeg_error(AVERROR_INVALIDDATA, printable(path_.string()));
      continue;
    }
    if (result < 0) return ffmpeg_error(result, printable(path_.string()));
    return true;
  }
}

bool SourcePackets::cut_to_window() {
  if (!window_) return true;
  AVPacket& packet = *packet_;
  const AVRational unit = packet.time_base;
  const AVCodecParameters& parameters = *input_->streams[packet.stream_index]->codecpar;
  const auto is_before_window = [&](std::int64_t time) {
    return av_compare_ts(time, unit, window_->begin, window_->unit) < 0;
  };
  const auto is_before_end = [&](std::int64_t time) {
    return !window_->end || av_compare_ts(time, unit, *window_->end, window_->unit) < 0;
  };
  if (parameters.codec_type == AVMEDIA_TYPE_VIDEO) {
    const bool is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    if (is_key && !is_before_window(packet.pts)) begun_.insert(packet.stream_index);
    return begun_.contains(packet.stream_index) && is_before_end(packet.dts);
  }
  std::int64_t duration = packet.duration;
  if (duration <= 0 && parameters.sample_rate > 0) {
    // av_get_audio_frame_duration2() takes no constant.
    AVCodecParameters& source = *input_->streams[packet.stream_index]->codecpar;
    duration = av_rescale_q(av_get_audio_frame_duration2(&source, packet.size), {1, parameters.sample_rate}, unit);
  }
  const std::int64_t end = packet.pts + std::max<std::int64_t>(duration, 1);
  const bool ends_before_window = av_compare_ts(end, unit, window_->begin, window_->unit) <= 0;
  if (ends_before_window || !is_before_end(packet.pts)) return false;
  if (parameters.codec_type != AVMEDIA_TYPE_SUBTITLE) return true;
  if (is_before_window(packet.pts)) {
    packet.pts = av_rescale_q_rnd(window_->begin, window_->unit, unit, AV_ROUND_UP);
    packet.dts = packet.pts;
  }
  std::int64_t last = end;
  if (window_->end) last = std::min(last, av_rescale_q_rnd(*window_->end, window_->unit, unit, AV_ROUND_DOWN));
  if (packet.duration > 0) packet.duration = std::max<std::int64_t>(last - packet.pts, 1);
  return true;
}

}  // namespace weir::film
