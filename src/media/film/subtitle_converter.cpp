#include "media/film/subtitle_converter.hpp"

extern "C" {
#include <libavutil/mem.h>
}

#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace weir::film {
namespace {

constexpr std::size_t kLongestSubtitle = std::size_t{1} << 20;  // bytes, as in FFmpeg's own program

/// Frees what a decoder allocated for one subtitle.
struct Subtitle {
  AVSubtitle content{};
  Subtitle() = default;
  Subtitle(const Subtitle&) = delete;
  Subtitle& operator=(const Subtitle&) = delete;
  ~Subtitle() { avsubtitle_free(&content); }
};

}  // namespace

Result<std::unique_ptr<SubtitleConverter>> SubtitleConverter::create(const AVStream& stream, AVCodecID target) {
  const AVCodec* decoder = avcodec_find_decoder(stream.codecpar->codec_id);
  const AVCodec* encoder = avcodec_find_encoder(target);
  const std::string operation =
      fmt::format("subtitles {} to {}", avcodec_get_name(stream.codecpar->codec_id), avcodec_get_name(target));
  if (decoder == nullptr || encoder == nullptr)
    return Error{Errc::unsupported, fmt::format("{}: FFmpeg was built without it", operation)};
  std::unique_ptr<SubtitleConverter> converter{new SubtitleConverter};
  converter->time_base_ = stream.time_base;
  converter->decoder_.reset(avcodec_alloc_context3(decoder));
  converter->encoder_.reset(avcodec_alloc_context3(encoder));
  AVCodecContext* from = converter->decoder_.get();
  AVCodecContext* to = converter->encoder_.get();
  if (from == nullptr || to == nullptr) return Error{Errc::over_budget, "no memory for subtitles"};
  if (const int result = avcodec_parameters_to_context(from, stream.codecpar); result < 0)
    return ffmpeg_error(result, operation);
  from->pkt_timebase = stream.time_base;
  if (const int result = avcodec_open2(from, decoder, nullptr); result < 0) return ffmpeg_error(result, operation);
  to->time_base = AVRational{1, AV_TIME_BASE};
  if (from->subtitle_header != nullptr) {
    // Encoders of text read the styles from the header that the decoder made.
    const auto size = static_cast<std::size_t>(from->subtitle_header_size);
    to->subtitle_header = static_cast<std::uint8_t*>(av_mallocz(size + 1));
    if (to->subtitle_header == nullptr) return Error{Errc::over_budget, "no memory for subtitles"};
    std::memcpy(to->subtitle_header, from->subtitle_header, size);
    to->subtitle_header_size = from->subtitle_header_size;
  }
  if (const int result = avcodec_open2(to, encoder, nullptr); result < 0) return ffmpeg_error(result, operation);
  return converter;
}

Result<bool> SubtitleConverter::convert(AVPacket& packet) {
  Subtitle subtitle;
  int is_found = 0;
  if (const int result = avcodec_decode_subtitle2(decoder_.get(), &subtitle.content, &is_found, &packet); result < 0)
    return ffmpeg_error(result, "subtitle");
  if (is_found == 0 || subtitle.content.num_rects == 0) return false;
  std::vector<std::uint8_t> text(kLongestSubtitle);
  subtitle.content.pts = av_rescale_q(packet.pts, time_base_, AVRational{1, AV_TIME_BASE});
  const std::int64_t shown_ms = std::int64_t{subtitle.content.end_display_time} - subtitle.content.start_display_time;
  // The start is the packet's time; an encoder must not add its own offset.
  subtitle.content.end_display_time -= subtitle.content.start_display_time;
  subtitle.content.start_display_time = 0;
  const int size =
      avcodec_encode_subtitle(encoder_.get(), text.data(), static_cast<int>(text.size()), &subtitle.content);
  if (size < 0) return ffmpeg_error(size, "subtitle");
  if (size == 0) return false;
  PacketPtr converted = make_packet();
  if (!converted || av_new_packet(converted.get(), size) < 0)
    return Error{Errc::over_budget, "no memory for subtitles"};
  std::memcpy(converted->data, text.data(), static_cast<std::size_t>(size));
  converted->pts = packet.pts;
  converted->dts = packet.pts;
  converted->duration = packet.duration > 0 ? packet.duration : av_rescale_q(shown_ms, {1, 1000}, time_base_);
  converted->stream_index = packet.stream_index;
  converted->time_base = packet.time_base;
  converted->flags = AV_PKT_FLAG_KEY;
  av_packet_unref(&packet);
  av_packet_move_ref(&packet, converted.get());
  return true;
}

}  // namespace weir::film
