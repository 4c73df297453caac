#include "media/film/film_reader.hpp"

extern "C" {
#include <libavutil/mem.h>
}

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::film {
namespace {

/// So many unreadable packets in sequence are taken for the loss of the rest of the film. A demuxer that cannot resume
/// reports the same error for ever.
constexpr int kMaxUnreadablePackets = 1000;

/// FFmpeg calls it often while it reads; a result other than 0 interrupts the call.
int is_stop_requested(void* stop) { return static_cast<std::stop_token*>(stop)->stop_requested() ? 1 : 0; }

/// Formats that are written for pipes. Others refer to other files, or cannot be read without seeking.
constexpr char kPipeFormats[] = "yuv4mpegpipe,nut,matroska,mpegts";

/// Says why nothing was found in a pipe.
Error pipe_error(int result, const FilmIo& io, const std::string& name) {
  if (io.error()) return *io.error();
  if (io.bytes() == 0) return Error{Errc::corrupt, fmt::format("{}: it is empty", name)};
  if (result == AVERROR(ENOMEM)) return ffmpeg_error(result, name);
  return Error{Errc::corrupt, fmt::format("{}: not a film in y4m, NUT, MKV or MPEG-TS", name)};
}

std::string name_of_film(const std::filesystem::path& path) { return printable(path.string()); }

}  // namespace

int find_video_stream(const AVFormatContext& input) {
  int best = -1;
  std::int64_t best_pixels = -1;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVStream& stream = *input.streams[i];
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO) continue;
    if ((stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0) continue;
    const bool is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
    const std::int64_t pixels =
        (std::int64_t{stream.codecpar->width} * stream.codecpar->height) + (is_default ? std::int64_t{1} << 40 : 0);
    if (pixels > best_pixels) {
      best = static_cast<int>(i);
      best_pixels = pixels;
    }
  }
  return best;
}

Result<std::unique_ptr<FilmReader>> FilmReader::open(const std::filesystem::path& path, const ReadSettings& settings) {
  av_log_set_level(AV_LOG_QUIET);  // the caller reports what is wrong, with the name of the film
  std::unique_ptr<FilmReader> reader{new FilmReader};
  reader->path_ = path;
  reader->stop_ = settings.stop;
  if (!reader->frame_ || !reader->packet_) return Error{Errc::over_budget, "no memory for a frame"};
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return Error{Errc::over_budget, "no memory for a film's header"};
  context->interrupt_callback = {is_stop_requested, &reader->stop_};
  reader->other_packets_ = settings.other_packets;
  if (settings.io != nullptr) {
    reader->io_ = settings.io;
    context->pb = settings.io->context();
    context->format_whitelist = av_strdup(kPipeFormats);
    context->probesize = kPipeProbeBytes;
  }
  // "file:" keeps names such as "a:b.mkv" from being taken for a protocol. avformat_open_input() frees the context if it
  // fails.
  const std::string url = "file:" + path.string();
  if (const int result = avformat_open_input(&context, url.c_str(), nullptr, nullptr); result < 0) {
    if (settings.io != nullptr) return pipe_error(result, *settings.io, name_of_film(path));
    return ffmpeg_error(result, name_of_film(path));
  }
  reader->input_.reset(context);
  if (const int result = avformat_find_stream_info(context, nullptr); result < 0)
    return ffmpeg_error(result, name_of_film(path));
  reader->stream_ = settings.video_stream ? *settings.video_stream : find_video_stream(*context);
  if (reader->stream_ < 0 || reader->stream_ >= static_cast<int>(context->nb_streams))
    return Error{Errc::unsupported, fmt::format("{}: no video stream", name_of_film(path))};
  if (auto opened = reader->open_decoder(settings); !opened) return opened.error();
  return reader;
}

Status FilmReader::open_decoder(const ReadSettings& settings) {
  for (unsigned i = 0; i < input_->nb_streams; ++i)
    if (static_cast<int>(i) != stream_ && !settings.all_streams && !settings.other_packets)
      input_->streams[i]->discard = AVDISCARD_ALL;
  AVStream& stream = *input_->streams[stream_];
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (codec == nullptr) {
    return Error{Errc::unsupported, fmt::format("{}: FFmpeg has no decoder for {}", name_of_film(path_),
                                                avcodec_get_name(stream.codecpar->codec_id))};
  }
  decoder_.reset(avcodec_alloc_context3(codec));
  if (!decoder_) return Error{Errc::over_budget, "no memory for a decoder"};
  if (const int result = avcodec_parameters_to_context(decoder_.get(), stream.codecpar); result < 0)
    return ffmpeg_error(result, name_of_film(path_));
  decoder_->pkt_timebase = stream.time_base;
  decoder_->thread_count = settings.threads;
  if (const int result = avcodec_open2(decoder_.get(), codec, nullptr); result < 0)
    return ffmpeg_error(result, name_of_film(path_));
  return ok();
}

DecoderTraits FilmReader::decoder_traits() const {
  const AVCodecParameters& parameters = *stream().codecpar;
  return {.codec = parameters.codec_id,
          .level = parameters.level,
          .references = parameters.codec_id == AV_CODEC_ID_H264 ? decoder_->refs : 0,
          .reordered = std::max(decoder_->has_b_frames, parameters.video_delay)};
}

Status FilmReader::feed_decoder() {
  for (int unreadable = 0; !has_pending_packet_ && !input_ended_;) {
    const int result = av_read_frame(input_.get(), packet_.get());
    if (stop_.stop_requested()) return Error{Errc::cancelled, "stopped"};
    if (result == AVERROR_EOF) {
      // A read error also ends the input; FFmpeg stores it in the I/O context.
      if (input_->pb != nullptr && input_->pb->error < 0 && input_->pb->error != AVERROR_EOF)
        return ffmpeg_error(input_->pb->error, name_of_film(path_));
      input_ended_ = true;
    } else if (result == AVERROR_INVALIDDATA || result == AVERROR(EAGAIN)) {
      ++skipped_packets_;
      if (++unreadable > kMaxUnreadablePackets) return ffmpeg_error(AVERROR_INVALIDDATA, name_of_film(path_));
    } else if (result < 0) {
      return ffmpeg_error(result, name_of_film(path_));
    } else if (auto taken = take_packet(); !taken) {
      return taken;
    }
  }
  // A packet of no data would end the decoding early; a null packet asks for the frames that the decoder still holds.
  const bool is_empty = has_pending_packet_ && packet_->size == 0 && packet_->side_data_elems == 0;
  const int sent = is_empty ? 0 : avcodec_send_packet(decoder_.get(), has_pending_packet_ ? packet_.get() : nullptr);
  if (sent == AVERROR(EAGAIN)) return ok();
  if (has_pending_packet_) av_packet_unref(packet_.get());
  has_pending_packet_ = false;
  if (sent == AVERROR(ENOMEM)) return ffmpeg_error(sent, name_of_film(path_));
  if (sent < 0 && sent != AVERROR_EOF) ++skipped_packets_;
  return ok();
}

Status FilmReader::take_packet() {
  note_end_of_packet();
  if ((packet_->flags & AV_PKT_FLAG_CORRUPT) != 0) ++skipped_packets_;  // the container lacks a part of it
  if (packet_->stream_index == stream_) {
    has_pending_packet_ = true;
    end_position_ = packet_->pos + packet_->size;
    if (packet_->dts != AV_NOPTS_VALUE) decoding_times_.push_back(packet_->dts);
    return ok();
  }
  auto taken = other_packets_ ? other_packets_(*packet_) : ok();
  av_packet_unref(packet_.get());
  return taken;
}

void FilmReader::note_end_of_packet() {
  const std::int64_t begin = packet_->pts != AV_NOPTS_VALUE ? packet_->pts : packet_->dts;
  if (begin == AV_NOPTS_VALUE) return;
  const AVRational unit = input_->streams[packet_->stream_index]->time_base;
  end_time_ = std::max(end_time_, av_rescale_q(begin + packet_->duration, unit, AVRational{1, AV_TIME_BASE}));
}

Result<DecodedFrame> FilmReader::next() {
  av_frame_unref(frame_.get());
  for (int undecodable = 0;;) {
    const int result = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (result == 0) return describe_frame();
    if (result == AVERROR_EOF) return DecodedFrame{};
    if (result == AVERROR(ENOMEM)) return ffmpeg_error(result, name_of_film(path_));
    if (result != AVERROR(EAGAIN)) {  // damaged data; the next packet may be readable
      ++skipped_packets_;
      if (++undecodable > kMaxUnreadablePackets) return ffmpeg_error(result, name_of_film(path_));
    }
    if (auto fed = feed_decoder(); !fed) return fed.error();
  }
}

DecodedFrame FilmReader::describe_frame() {
  DecodedFrame decoded;
  decoded.frame = frame_.get();
  decoded.is_damaged = frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  if (frame_->pts != AV_NOPTS_VALUE) decoded.pts = frame_->pts;
  if (!decoding_times_.empty()) {
    decoded.decoding_time = decoding_times_.front();
    decoding_times_.pop_front();
  }
  return decoded;
}

bool FilmReader::is_cut_off() const {
  if (io_ == nullptr) return false;
  const std::string_view format = input_->iformat->name;
  if (format == "yuv4mpegpipe") return io_->bytes() != static_cast<std::uint64_t>(end_position_);
  return format == "nut" && !io_->ends_with_nut_index();
}

Status FilmReader::seek(std::int64_t pts) {
  const int result = avformat_seek_file(input_.get(), stream_, INT64_MIN, pts, pts, 0);
  if (result < 0) return ffmpeg_error(result, fmt::format("{}: seek", name_of_film(path_)));
  avcodec_flush_buffers(decoder_.get());
  av_packet_unref(packet_.get());
  av_frame_unref(frame_.get());
  has_pending_packet_ = false;
  input_ended_ = false;
  skipped_packets_ = 0;
  decoding_times_.clear();
  return ok();
}

}  // namespace weir::film
