#include "media/film/joiner.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/text.hpp"
#include "media/film/film_files.hpp"
#include "media/film/frame_data.hpp"
#include "media/film/result_file.hpp"
#include "media/film/result_streams.hpp"
#include "media/film/segment_packets.hpp"
#include "media/film/source_packets.hpp"

namespace weir::film {
namespace {

/// Returns whether all frames follow each other at the same distance, except for the rounding of times.
bool has_constant_rate(const FilmIndex& index) {
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max(), longest = 0;
  for (std::size_t i = 1; i < index.frames.size(); ++i) {
    const std::int64_t step = index.frames[i].pts - index.frames[i - 1].pts;
    shortest = std::min(shortest, step);
    longest = std::max(longest, step);
  }
  return longest - shortest <= 1;
}

/// Returns the time from a frame to the next one, in units of the index.
std::int64_t duration_of_frame(const FilmIndex& index, FrameNumber number) {
  const auto i = static_cast<std::size_t>(number);
  if (i + 1 < index.frames.size()) return index.frames[i + 1].pts - index.frames[i].pts;
  if (index.frames[i].duration > 0) return index.frames[i].duration;
  return i > 0 ? index.frames[i].pts - index.frames[i - 1].pts : 0;
}

Status check_request(const JoinRequest& request) {
  const FilmIndex& index = request.index;
  if (index.frames.empty() || request.segments.size() != index.segments.size()) {
    return Error{Errc::invalid_argument, fmt::format("the film has {} segments, {} were given", index.segments.size(),
                                                     request.segments.size())};
  }
  if (const auto facts = file_facts(request.source); !facts || *facts != index.file)
    return Error{Errc::io,
                 fmt::format("{}: the film was changed after it was indexed", printable(request.source.string()))};
  for (std::size_t i = 1; i < index.frames.size(); ++i) {
    if (index.frames[i].pts <= index.frames[i - 1].pts)
      return Error{Errc::unsupported, fmt::format("{}: frame {} is not shown after the frame before it",
                                                  printable(request.source.string()), i)};
  }
  return ok();
}

/// Joins one film.
class Join {
 public:
  explicit Join(const JoinRequest& request) : request_{request} {}

  Result<JoinReport> run() {
    if (auto planned = plan(); !planned) return planned.error();
    SegmentPackets scanned{request_.index, request_.segments, request_.stop};
    auto times = DecodingTimes::scan(scanned, request_.index, [&] { report_progress(0); });
    if (!times) return times.error();
    const bool has_decoding_times = row_of(request_.container).has_decoding_times_from_zero;
    const ShiftFinder finder{report_.plan, request_.index.time_base,
                             has_decoding_times ? times->at(0) : request_.index.frames.front().pts,
                             window_of(request_.index)};
    auto shift = find_time_shift(request_.source, finder, report_.plan, request_.stop);
    if (!shift) return shift.error();
    report_.shift = *shift;
    auto source = SourcePackets::open(request_.source, report_.plan, window_of(request_.index), request_.stop);
    if (!source) return source.error();
    auto written = write(**source, *times);
    if (!written) return written.error();
    report_.size = *written;
    report_.skipped_packets = (*source)->skipped_packets();
    report_audio(**source);
    auto result = open_input(request_.output);
    if (!result) return result.error();
    for (std::string& lost :
         find_lost_properties((*source)->input(), **result, report_.plan, request_.display, window_of(request_.index)))
      report_.plan.lost.push_back(std::move(lost));
    return std::move(report_);
  }

 private:
  Status plan() {
    auto plan = plan_streams(request_.source, {.container = request_.container,
                                               .codec = request_.codec,
                                               .video_stream = request_.index.video_stream,
                                               .orientation = request_.display.orientation,
                                               .audio = request_.audio});
    if (!plan) return plan.error();
    report_.plan = *std::move(plan);
    if (request_.index.has_transparency()) report_.plan.lost.emplace_back("the transparency (alpha) of the film");
    for (std::string& lost : find_lost_frame_data(request_.index.data_kinds(), request_.codec))
      report_.plan.lost.push_back(std::move(lost));
    if (request_.index.cut) say_how_streams_are_cut();
    report_.frames = static_cast<FrameNumber>(request_.index.frames.size());
    return ok();
  }

  void say_how_streams_are_cut() {
    for (PlannedStream& planned : report_.plan.streams) {
      if (planned.fate != StreamFate::copied) continue;
      const char* how = planned.kind == StreamKind::audio   ? "cut between packets; --audio CODEC cuts to the sample"
                        : planned.kind == StreamKind::video ? "cut at its first key frame"
                                                            : nullptr;
      if (how != nullptr) planned.reason += fmt::format("{}{}", planned.reason.empty() ? "" : "; ", how);
    }
  }

  Result<Bytes> write(SourcePackets& source, const DecodingTimes& times) {
    auto first = open_input(request_.segments.front());
    if (!first) return first.error();
    const AVStream& segment = *(*first)->streams[0];
    if (segment.codecpar->codec_id != report_.plan.video().codec) {
      return Error{Errc::corrupt,
                   fmt::format("segment 0 ({}): it holds {}, not {}", printable(request_.segments.front().string()),
                               avcodec_get_name(segment.codecpar->codec_id), report_.plan.video().codec_name)};
    }
    Fraction rate{0, 1};
    if (has_constant_rate(request_.index)) {
      const AVRational of_source = source.input().streams[report_.plan.video_stream]->avg_frame_rate;
      rate = {of_source.num, of_source.den};
    }
    auto file = ResultFile::create({.output = request_.output,
                                    .plan = report_.plan,
                                    .source = source.input(),
                                    .converter = source.converter(),
                                    .film = *segment.codecpar,
                                    .time_base = request_.index.time_base,
                                    .frame_rate = rate,
                                    .display = request_.display,
                                    .window = window_of(request_.index),
                                    .shift = report_.shift});
    if (!file) return file.error();
    if (auto copied = copy(source, times, **file); !copied) return copied.error();
    for (PlannedStream& planned : report_.plan.streams)
      if (planned.target) planned.moved_packets = (*file)->moved_packets(*planned.target);
    if (row_of(request_.container).has_edit_lists) remove_empty_streams(**file);
    return (*file)->finish();
  }

  /// The muxer of MP4 leaves out streams that got no packets.
  void remove_empty_streams(const ResultFile& file) {
    int removed = 0;
    std::vector<PlannedStream*> by_target(static_cast<std::size_t>(report_.plan.count_targets()));
    for (PlannedStream& planned : report_.plan.streams)
      if (planned.target) by_target[static_cast<std::size_t>(*planned.target)] = &planned;
    for (PlannedStream* planned : by_target) {
      const bool is_empty = !file.has_packets(*planned->target);
      *planned->target -= removed;
      if (!is_empty) continue;
      ++removed;
      planned->target.reset();
      planned->fate = StreamFate::lost;
      planned->reason = request_.index.cut ? "it has nothing in this part of the film" : "it is empty";
    }
  }

  /// Writes the packets of the segments and of the source in the order of their decoding times. Each input is read in
  /// its own order, so one packet of each is held.
  Status copy(SourcePackets& source, const DecodingTimes& times, ResultFile& file) {
    SegmentPackets film{request_.index, request_.segments, request_.stop};
    const AVRational film_unit{request_.index.time_base.numerator, request_.index.time_base.denominator};
    auto film_packet = film.next();
    auto source_packet = source.next();
    for (;;) {
      if (!film_packet) return film_packet.error();
      if (!source_packet) return source_packet.error();
      AVPacket* const copied = *source_packet;
      if (film_packet->packet == nullptr && copied == nullptr) return ok();
      report_progress(film_packet->packet == nullptr ? report_.frames : film_packet->position);
      const bool is_film_next = film_packet->packet != nullptr &&
                                (copied == nullptr || av_compare_ts(times.at(film_packet->position), film_unit,
                                                                    copied->dts, copied->time_base) <= 0);
      if (is_film_next) {
        AVPacket& packet = *film_packet->packet;
        packet.pts = request_.index.frames[static_cast<std::size_t>(film_packet->frame)].pts;
        packet.dts = times.at(film_packet->position);
        packet.duration = duration_of_frame(request_.index, film_packet->frame);
        if (auto written = file.write_film(packet); !written) return written;
        film_packet = film.next();
      } else {
        const PlannedStream& planned = report_.plan.streams[static_cast<std::size_t>(copied->stream_index)];
        if (auto written = file.write_copy(*copied, planned); !written) return written;
        source_packet = source.next();
      }
    }
  }

  void report_progress(FrameNumber frames) const {
    if (request_.progress) request_.progress(static_cast<double>(frames) / static_cast<double>(report_.frames));
  }

  /// Says what encoding the sound met in the source.
  void report_audio(const SourcePackets& source) {
    for (PlannedStream& planned : report_.plan.streams) {
      const AudioConverter* converter = source.converter().audio_converter(planned.source);
      if (converter == nullptr) continue;
      const AudioDecoder& decoder = converter->decoder();
      if (decoder.silence_seconds() > 0)
        planned.reason += fmt::format(", with {:.3f} s of silence for gaps", decoder.silence_seconds());
      if (decoder.undecodable_packets() > 0) {
        report_.plan.lost.push_back(fmt::format("the sound of {} packets of stream {}, which cannot be decoded",
                                                decoder.undecodable_packets(), planned.source));
      }
      if (decoder.dropped_seconds() > 0) {
        report_.plan.lost.push_back(fmt::format("{:.3f} s of the sound of stream {}, whose times overlap",
                                                decoder.dropped_seconds(), planned.source));
      }
    }
  }

  const JoinRequest& request_;
  JoinReport report_;
};

}  // namespace

Result<JoinReport> join_film(const JoinRequest& request) {
  if (auto checked = check_request(request); !checked) return checked.error();
  auto report = Join{request}.run();
  if (!report) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(request.output, ignored)) std::filesystem::remove(request.output, ignored);
  }
  return report;
}

}  // namespace weir::film
