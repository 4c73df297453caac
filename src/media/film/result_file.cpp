#include "media/film/result_file.hpp"

extern "C" {
#include <libavutil/mem.h>
}

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/open_file.hpp"
#include "base/text.hpp"
#include "media/film/result_streams.hpp"
#include "media/film/stream_side_data.hpp"

namespace weir::film {
namespace {

/// Returns the least common multiple of two units' denominators, or `a` if it is greater than what MP4 stores.
int common_denominator(int a, int b) {
  const std::int64_t common = std::lcm(std::int64_t{a}, std::int64_t{b});
  return common <= std::numeric_limits<int>::max() ? static_cast<int>(common) : a;
}

const char* mime_type_of(AVCodecID picture) {
  switch (picture) {
    case AV_CODEC_ID_PNG:
      return "image/png";
    case AV_CODEC_ID_BMP:
      return "image/bmp";
    case AV_CODEC_ID_GIF:
      return "image/gif";
    case AV_CODEC_ID_WEBP:
      return "image/webp";
    default:
      return "image/jpeg";
  }
}

void copy_tags(const AVDictionary* from, AVDictionary** to, bool (*is_left_out)(const std::string&)) {
  const AVDictionaryEntry* tag = nullptr;
  while ((tag = av_dict_get(from, "", tag, AV_DICT_IGNORE_SUFFIX)) != nullptr)
    if (!is_left_out(tag->key)) av_dict_set(to, tag->key, tag->value, 0);
}

/// Muxers write the duration themselves.
bool is_duration(const std::string& name) { return lower_case(name) == "duration"; }
bool is_not_of_result(const std::string& name) { return is_duration(name) || is_tag_of_encoding(name); }

}  // namespace

std::string ResultFile::name() const { return printable(request_.output.string()); }

Result<std::unique_ptr<ResultFile>> ResultFile::create(const ResultRequest& request) {
  std::unique_ptr<ResultFile> result{new ResultFile{request}};
  const StreamPlan& plan = request.plan;
  AVFormatContext* context = nullptr;
  const std::string url = "file:" + request.output.string();
  if (const int made = avformat_alloc_output_context2(&context, nullptr, row_of(plan.container).muxer, url.c_str());
      made < 0)
    return ffmpeg_error(made, result->name());
  result->file_.reset(context);
  context->avoid_negative_ts = 0;  // all shifts are in `shift`
  context->flags |= AVFMT_FLAG_BITEXACT;
  context->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;  // the plan says which streams need it
  if (request.io != nullptr) {
    context->pb = request.io;
    context->flags |= AVFMT_FLAG_CUSTOM_IO;
    context->flush_packets = request.io->seekable == 0 ? 1 : 0;  // who reads a pipe gets each frame at once
  }
  result->sources_.assign(request.source.streams, request.source.streams + request.source.nb_streams);
  result->times_.resize(static_cast<std::size_t>(plan.count_targets()));
  if (auto added = result->add_streams(); !added) return added.error();
  if (auto added = result->add_chapters(); !added) return added.error();
  result->add_tags();
  if (request.io == nullptr) {
    if (const int opened = avio_open(&context->pb, url.c_str(), AVIO_FLAG_WRITE); opened < 0)
      return ffmpeg_error(opened, result->name());
  }
  if (auto written = result->write_header(); !written) return written.error();
  if (auto written = result->write_covers(); !written) return written.error();
  return result;
}

Status ResultFile::add_streams() {
  for (int i = 0; i < request_.plan.count_targets(); ++i)
    if (avformat_new_stream(file_.get(), nullptr) == nullptr) return Error{Errc::over_budget, "no memory for a stream"};
  for (const PlannedStream& planned : request_.plan.streams) {
    if (!planned.target) continue;
    AVStream& stream = *file_->streams[*planned.target];
    const AVStream& source = *request_.source.streams[planned.source];
    stream.disposition = source.disposition;
    const bool is_film = planned.fate == StreamFate::encoded;
    copy_tags(source.metadata, &stream.metadata, is_film ? is_not_of_result : is_duration);
    // MP4 has no titles of streams, but players show the name of the handler.
    const ContainerRow& row = row_of(request_.plan.container);
    if (row.has_edit_lists && !planned.title.empty())
      av_dict_set(&stream.metadata, "handler_name", planned.title.c_str(), 0);
    if (auto added = is_film ? add_film(stream) : add_copy(planned, stream); !added) return added;
  }
  return ok();
}

Status ResultFile::add_film(AVStream& stream) {
  if (const int result = avcodec_parameters_copy(stream.codecpar, &request_.film); result < 0)
    return ffmpeg_error(result, name());
  const ContainerRow& row = row_of(request_.plan.container);
  // Apple's players open HEVC under this name only; the headers are in the extradata, as it demands. The tag of raw
  // frames is their pixel format.
  if (stream.codecpar->codec_id != AV_CODEC_ID_RAWVIDEO)
    stream.codecpar->codec_tag =
        stream.codecpar->codec_id == AV_CODEC_ID_HEVC && row.has_edit_lists ? MKTAG('h', 'v', 'c', '1') : 0;
  const AVStream& source = *request_.source.streams[request_.plan.video_stream];
  stream.time_base = film_unit();
  stream.avg_frame_rate = {request_.frame_rate.numerator, request_.frame_rate.denominator};
  for (const AVPacketSideDataType type : {AV_PKT_DATA_STEREO3D, AV_PKT_DATA_SPHERICAL})
    if (auto copied = copy_side_data(source, stream, type); !copied) return copied;
  return apply_display(request_.display, row.has_display_matrix, stream);
}

Status ResultFile::add_copy(const PlannedStream& planned, AVStream& stream) {
  const AVStream& source = *request_.source.streams[planned.source];
  if (planned.kind == StreamKind::cover && row_of(request_.plan.container).has_attachments)
    return add_cover_file(source, stream);
  if (auto described = request_.converter.describe(planned, *stream.codecpar); !described) return described;
  stream.codecpar->codec_tag = 0;  // the muxer chooses that of its container
  stream.time_base = source.time_base;
  if (const AudioConverter* audio = request_.converter.audio_converter(planned.source); audio != nullptr) {
    stream.time_base = audio->encoder().time_base;
    // Other versions of FFmpeg write the padding of all codecs into MKV, and move the times.
    if (row_of(request_.plan.container).adds_padding_when_read && stream.codecpar->codec_id != AV_CODEC_ID_OPUS)
      stream.codecpar->initial_padding = 0;
  }
  stream.sample_aspect_ratio = source.sample_aspect_ratio;
  if (planned.kind == StreamKind::video) stream.avg_frame_rate = source.avg_frame_rate;
  if (planned.kind == StreamKind::attachment) {
    if (tag_of(stream.metadata, "filename").empty())
      av_dict_set(&stream.metadata, "filename", fmt::format("attachment-{}", planned.source).c_str(), 0);
    if (tag_of(stream.metadata, "mimetype").empty())
      av_dict_set(&stream.metadata, "mimetype", "application/octet-stream", 0);
  }
  if (planned.fate == StreamFate::converted) return ok();
  return copy_side_data(source, stream);
}

Status ResultFile::add_cover_file(const AVStream& cover, AVStream& stream) {
  const auto size = static_cast<std::size_t>(cover.attached_pic.size);
  AVCodecParameters& parameters = *stream.codecpar;
  parameters.codec_type = AVMEDIA_TYPE_ATTACHMENT;
  parameters.codec_id = cover.codecpar->codec_id;
  parameters.extradata = static_cast<std::uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
  if (parameters.extradata == nullptr) return Error{Errc::over_budget, "no memory for a cover"};
  std::memcpy(parameters.extradata, cover.attached_pic.data, size);
  parameters.extradata_size = static_cast<int>(size);
  stream.disposition = 0;
  const std::string mime_type = mime_type_of(cover.codecpar->codec_id);
  if (tag_of(stream.metadata, "mimetype").empty()) av_dict_set(&stream.metadata, "mimetype", mime_type.c_str(), 0);
  if (tag_of(stream.metadata, "filename").empty()) {
    const bool is_jpeg = cover.codecpar->codec_id == AV_CODEC_ID_MJPEG;
    const std::string ending = is_jpeg ? "jpg" : mime_type.substr(mime_type.find('/') + 1);
    av_dict_set(&stream.metadata, "filename", ("cover." + ending).c_str(), 0);
  }
  return ok();
}

Status ResultFile::add_chapters() {
  const AVFormatContext& source = request_.source;
  if (source.nb_chapters == 0) return ok();
  file_->chapters = static_cast<AVChapter**>(av_calloc(source.nb_chapters, sizeof(AVChapter*)));
  if (file_->chapters == nullptr) return Error{Errc::over_budget, "no memory for the chapters"};
  const std::optional<TimeWindow> window = request_.window;
  for (unsigned i = 0; i < source.nb_chapters; ++i) {
    const AVChapter& from = *source.chapters[i];
    if (!has_chapter(window, from)) continue;
    auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
    if (chapter == nullptr) return Error{Errc::over_budget, "no memory for the chapters"};
    file_->chapters[file_->nb_chapters++] = chapter;
    chapter->id = window ? file_->nb_chapters : from.id;
    chapter->time_base = from.time_base;
    chapter->start = request_.shift.apply(from.start, from.time_base, from.time_base);
    chapter->end = request_.shift.apply(from.end, from.time_base, from.time_base);
    if (window) {
      chapter->start = std::max(chapter->start, request_.shift.apply(window->begin, window->unit, from.time_base));
      if (window->end)
        chapter->end = std::min(chapter->end, request_.shift.apply(*window->end, window->unit, from.time_base));
    }
    av_dict_copy(&chapter->metadata, from.metadata, 0);
  }
  return ok();
}

void ResultFile::add_tags() { copy_tags(request_.source.metadata, &file_->metadata, is_tag_of_file); }

Status ResultFile::write_header() {
  Options options;
  if (row_of(request_.plan.container).has_edit_lists) {
    // MP4 rounds the beginning of each stream to the unit of the film's header, and frames to that of the stream.
    int video_unit = request_.time_base.denominator;
    for (unsigned i = 0; i < file_->nb_streams; ++i) {
      const AVStream& stream = *file_->streams[i];
      if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0)
        video_unit = common_denominator(video_unit, stream.time_base.den);
    }
    int film_unit = video_unit;
    for (unsigned i = 0; i < file_->nb_streams; ++i) {
      const AVCodecParameters& parameters = *file_->streams[i]->codecpar;
      if (parameters.codec_type == AVMEDIA_TYPE_AUDIO && parameters.sample_rate > 0)
        film_unit = common_denominator(film_unit, parameters.sample_rate);
    }
    options.set("video_track_timescale", video_unit);
    options.set("movie_timescale", film_unit);
  }
  options.set("default_mode", "passthrough");  // of MKV: marks no stream as the default that was none
  if (const int result = avformat_write_header(file_.get(), options.get()); result < 0) {
    Error error = ffmpeg_error(
        result, fmt::format("{}: {} does not take these streams", name(), name_of(request_.plan.container)));
    if (result == AVERROR(EINVAL) || result == AVERROR_INVALIDDATA) error.code = Errc::unsupported;
    return error;
  }
  return ok();
}

Status ResultFile::write_covers() {
  for (const PlannedStream& planned : request_.plan.streams) {
    if (planned.kind != StreamKind::cover || !planned.target || row_of(request_.plan.container).has_attachments)
      continue;
    PacketPtr picture{av_packet_clone(&request_.source.streams[planned.source]->attached_pic)};
    if (!picture) return Error{Errc::over_budget, "no memory for a cover"};
    picture->pts = 0;
    picture->dts = 0;
    if (auto written = write(*picture, *planned.target); !written) return written;
  }
  return ok();
}

Status ResultFile::write_film(AVPacket& packet) {
  const int target = *request_.plan.video().target;
  const AVRational unit = file_->streams[target]->time_base;
  packet.pts = request_.shift.apply(packet.pts, film_unit(), unit);
  packet.dts = request_.shift.apply(packet.dts, film_unit(), unit);
  packet.duration = av_rescale_q(packet.duration, film_unit(), unit);
  if (row_of(request_.plan.container).has_decoding_times_from_zero) packet.dts = std::max<std::int64_t>(packet.dts, 0);
  return write(packet, target);
}

Status ResultFile::write_copy(AVPacket& packet, const PlannedStream& planned) {
  const AVStream& source = *sources_[static_cast<std::size_t>(planned.source)];
  const AVStream& stream = *file_->streams[*planned.target];
  StreamTimes& times = times_[static_cast<std::size_t>(*planned.target)];
  const AVCodecParameters& parameters = *stream.codecpar;
  const bool is_copied_audio =
      planned.fate == StreamFate::copied && parameters.codec_type == AVMEDIA_TYPE_AUDIO && parameters.sample_rate > 0;
  const int samples = is_copied_audio ? av_get_audio_frame_duration2(source.codecpar, packet.size) : 0;
  if (samples > 0 && row_of(request_.plan.container).has_edit_lists) {
    // Times that the source rounds to ms would make packets of uneven durations; the samples give even ones.
    const std::int64_t time = av_rescale_delta(packet.time_base, packet.pts, {1, parameters.sample_rate}, samples,
                                               &times.delta_state, stream.time_base);
    packet.dts = request_.shift.apply(time, stream.time_base, stream.time_base);
    packet.pts = packet.dts;
    packet.duration = av_rescale_q(samples, {1, parameters.sample_rate}, stream.time_base);
  } else {
    const std::int64_t padding = padding_when_read(request_.plan.container, parameters, packet.time_base);
    packet.pts = request_.shift.apply(packet.pts + padding, packet.time_base, stream.time_base);
    packet.dts = request_.shift.apply(packet.dts + padding, packet.time_base, stream.time_base);
    packet.duration = av_rescale_q(packet.duration, packet.time_base, stream.time_base);
  }
  return write(packet, *planned.target);
}

Status ResultFile::write(AVPacket& packet, int target) {
  // Muxers refuse decoding times that go back, which damaged sources have, and some refuse times below 0.
  StreamTimes& times = times_[static_cast<std::size_t>(target)];
  if (row_of(request_.plan.container).has_decoding_times_from_zero && packet.dts < 0) {
    packet.pts = std::max<std::int64_t>(packet.pts, 0);
    packet.dts = 0;
    ++times.moved_packets;
  }
  const bool may_repeat = (file_->oformat->flags & AVFMT_TS_NONSTRICT) != 0;
  if (times.last_dts != AV_NOPTS_VALUE && packet.dts < times.last_dts + (may_repeat ? 0 : 1)) {
    packet.dts = times.last_dts + (may_repeat ? 0 : 1);
    packet.pts = std::max(packet.pts, packet.dts);
    ++times.moved_packets;
  }
  times.last_dts = packet.dts;
  times.has_packets |= packet.size > 0;  // FLAC ends with an empty packet that updates its header
  packet.stream_index = target;
  packet.pos = -1;
  if (const int result = av_write_frame(file_.get(), &packet); result < 0)
    return ffmpeg_error(result, fmt::format("{}: stream {}", name(), target));
  if (file_->pb->error < 0) return ffmpeg_error(file_->pb->error, name());
  return ok();
}

Result<Bytes> ResultFile::finish() {
  if (const int result = av_write_trailer(file_.get()); result < 0) return ffmpeg_error(result, name());
  if (request_.io != nullptr) {
    avio_flush(request_.io);
    if (request_.io->error < 0) return ffmpeg_error(request_.io->error, name());
    return Bytes{static_cast<std::uint64_t>(request_.io->bytes_written)};
  }
  if (const int result = avio_closep(&file_->pb); result < 0) return ffmpeg_error(result, name());
  const FileDescriptor file = open_to_append(request_.output);
  if (!file) return Error{Errc::io, fmt::format("{}: cannot be opened", name())};
  if (auto synced = sync_file(file.get()); !synced)
    return Error{synced.error().code, fmt::format("{}: {}", name(), synced.error().what)};
  const auto facts = file_facts(request_.output);
  if (!facts) return Error{Errc::io, fmt::format("{}: has vanished", name())};
  return Bytes{facts->size};
}

}  // namespace weir::film
