#include "media/film/source_packets.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::film {
namespace {

constexpr int kMaxUnreadableReads = 1000;  // in sequence; a demuxer that cannot resume reports the same error for ever

}  // namespace

Result<std::unique_ptr<SourcePackets>> SourcePackets::open(const std::filesystem::path& path, const StreamPlan& plan,
                                                           std::stop_token stop) {
  auto input = open_input(path);
  if (!input) return input.error();
  std::unique_ptr<SourcePackets> packets{new SourcePackets};
  packets->path_ = path;
  packets->stop_ = std::move(stop);
  packets->input_ = *std::move(input);
  if (!packets->packet_) return Error{Errc::over_budget, "no memory for a packet"};
  if (packets->input_->nb_streams < plan.streams.size())
    return Error{Errc::corrupt, fmt::format("{}: it has other streams than before", printable(path.string()))};
  packets->input_->streams[plan.video_stream]->discard = AVDISCARD_ALL;  // the segments replace it
  auto converter = PacketConverter::create(*packets->input_, plan);
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
    if (*converted) return packet_.get();
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

}  // namespace weir::film
