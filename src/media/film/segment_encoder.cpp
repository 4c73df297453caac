#include "media/film/segment_encoder.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/open_file.hpp"
#include "base/text.hpp"

namespace weir::film {

std::int64_t segment_time_offset(const FilmIndex& index) {
  return index.frames.empty() ? 0 : std::max<std::int64_t>(0, -index.frames.front().pts);
}

Result<std::unique_ptr<SegmentEncoder>> SegmentEncoder::create(const std::filesystem::path& path,
                                                               const SegmentFormat& format,
                                                               const EncodeSettings& settings) {
  std::unique_ptr<SegmentEncoder> segment{new SegmentEncoder{path}};
  if (auto opened = segment->open_encoder(format, settings); !opened) return opened.error();
  if (auto opened = segment->open_file(format); !opened) return opened.error();
  return segment;
}

Status SegmentEncoder::open_file(const SegmentFormat& format) {
  AVFormatContext* context = nullptr;
  const std::string url = "file:" + path_.string();
  const std::string name = printable(path_.string());
  if (const int result = avformat_alloc_output_context2(&context, nullptr, "nut", url.c_str()); result < 0)
    return ffmpeg_error(result, name);
  file_.reset(context);
  AVStream* stream = avformat_new_stream(context, nullptr);
  if (stream == nullptr) return Error{Errc::over_budget, "no memory for a stream"};
  if (const int result = avcodec_parameters_from_context(stream->codecpar, &encoder()); result < 0)
    return ffmpeg_error(result, name);
  stream->time_base = encoder().time_base;
  stream->avg_frame_rate = encoder().framerate;
  stream->sample_aspect_ratio = {format.sample_aspect.numerator, format.sample_aspect.denominator};
  context->avoid_negative_ts = 0;  // the default moves all times by the delay of B-frames
  context->flags |= AVFMT_FLAG_BITEXACT;
  if (const int result = avio_open(&context->pb, url.c_str(), AVIO_FLAG_WRITE); result < 0)
    return ffmpeg_error(result, name);
  if (const int result = avformat_write_header(context, nullptr); result < 0) return ffmpeg_error(result, name);
  // The muxer may choose a finer unit; the times stay exact if it divides that of the source.
  if (av_div_q(encoder().time_base, stream->time_base).den != 1)
    return Error{Errc::unsupported, fmt::format("{}: the segment cannot keep times in units of {}/{} s", name,
                                                encoder().time_base.num, encoder().time_base.den)};
  return ok();
}

Status SegmentEncoder::take(AVPacket& packet) {
  packet.stream_index = 0;
  av_packet_rescale_ts(&packet, encoder().time_base, file_->streams[0]->time_base);
  const int written = av_write_frame(file_.get(), &packet);
  if (written < 0) return ffmpeg_error(written, printable(path_.string()));
  if (file_->pb->error < 0) return ffmpeg_error(file_->pb->error, printable(path_.string()));
  return ok();
}

Result<Bytes> SegmentEncoder::finish() {
  if (auto ended = end(); !ended) return ended.error();
  const std::string name = printable(path_.string());
  if (const int result = av_write_trailer(file_.get()); result < 0) return ffmpeg_error(result, name);
  if (const int result = avio_closep(&file_->pb); result < 0) return ffmpeg_error(result, name);
  const FileDescriptor file = open_to_append(path_);
  if (!file) return Error{Errc::io, fmt::format("{}: cannot be opened", name)};
  if (auto synced = sync_file(file.get()); !synced)
    return Error{synced.error().code, fmt::format("{}: {}", name, synced.error().what)};
  const auto facts = file_facts(path_);
  if (!facts) return Error{Errc::io, fmt::format("{}: has vanished", name)};
  return Bytes{facts->size};
}

}  // namespace weir::film
