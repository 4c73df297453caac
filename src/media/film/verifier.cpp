#include "media/film/verifier.hpp"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/audio_summary.hpp"
#include "media/film/film_files.hpp"
#include "media/film/film_reader.hpp"
#include "media/film/frame_hash.hpp"
#include "media/film/result_streams.hpp"
#include "media/film/source_packets.hpp"

namespace weir::film {
namespace {

constexpr double kFramesShare = 0.95;  // of the time of a verification: the comparison of the frames
constexpr int kLongestPacket = 2048;   // samples in a packet of a lossy encoder, and in its delay

/// A copied packet, in short.
struct PacketSummary {
  std::int64_t pts = 0;  // in units of its file
  std::uint64_t hash = 0;
};

/// Returns whether a muxer changes the data of packets: H.264 and HEVC with start codes instead of lengths.
bool is_rewritten_by_muxer(const AVCodecParameters& parameters) {
  const bool has_units = parameters.codec_id == AV_CODEC_ID_H264 || parameters.codec_id == AV_CODEC_ID_HEVC;
  return has_units && (parameters.extradata_size == 0 || parameters.extradata[0] != 1);
}

/// Compares one result.
class Verification {
 public:
  explicit Verification(const VerifyRequest& request) : request_{request}, plan_{request.report.plan} {}

  Result<VerifyReport> run() {
    if (auto same = compare_frames(); !same) return same.error();
    StreamPlan copied = plan_;  // without the sound that was encoded, which is compared as sound
    for (PlannedStream& planned : copied.streams)
      if (StreamPlan::is_encoded_audio(planned)) planned.fate = StreamFate::lost;
    auto source = SourcePackets::open(request_.source, copied, window_of(request_.index), request_.stop);
    if (!source) return source.error();
    auto result = open_input(request_.result);
    if (!result) return result.error();
    if (auto same = compare_files((*source)->input(), **result); !same) return same.error();
    if (auto same = compare_packets(**source, **result); !same) return same.error();
    if (auto same = compare_audio(**result); !same) return same.error();
    return std::move(report_);
  }

 private:
  Error wrong(const std::string& what) const {
    return Error{Errc::corrupt, fmt::format("{}: {}", printable(request_.result.string()), what)};
  }
  /// Returns the time in the source that is 0 in the result, before its shift.
  double origin_seconds() const {
    const TimeShift& shift = request_.report.shift;
    return static_cast<double>(shift.origin) * shift.origin_unit.numerator / shift.origin_unit.denominator;
  }
  /// Returns whether two times, of the result and of the source, differ by no more than `tolerance` seconds.
  bool is_within(std::int64_t a, AVRational unit_a, std::int64_t b, AVRational unit_b, AVRational tolerance) const {
    const double difference =
        (static_cast<double>(a) * av_q2d(unit_a)) - (static_cast<double>(b) * av_q2d(unit_b)) + origin_seconds();
    return difference <= av_q2d(tolerance) && -difference <= av_q2d(tolerance);
  }

  Status compare_frames() {
    auto reader = FilmReader::open(request_.result, {.video_stream = *plan_.video().target, .stop = request_.stop});
    if (!reader) return reader.error();
    const AVRational unit = (*reader)->stream().time_base;
    report_.time_unit = {unit.num, unit.den};
    report_.has_exact_times = true;
    const auto count = static_cast<FrameNumber>(request_.index.frames.size());
    for (;; ++report_.frames) {
      auto decoded = (*reader)->next();
      if (!decoded) return decoded.error();
      if ((*reader)->skipped_packets() > 0)
        return wrong(fmt::format("a packet near frame {} cannot be decoded", report_.frames));
      if (decoded->frame == nullptr) break;
      if (report_.frames >= count) return wrong(fmt::format("it has more than {} frames", count));
      if (request_.progress)
        request_.progress(kFramesShare * static_cast<double>(report_.frames) / static_cast<double>(count));
      if (auto same = compare_frame(*decoded, unit); !same) return same;
      if (request_.segments.empty()) continue;
      if (auto same = compare_samples(*decoded->frame); !same) return same;
    }
    if (report_.frames != count) return wrong(fmt::format("it has {} of {} frames", report_.frames, count));
    return ok();
  }

  /// Compares the samples with the frame of the same number in the segments.
  Status compare_samples(const AVFrame& frame) {
    for (; segment_ < request_.segments.size(); segment_reader_.reset(), ++segment_) {
      if (!segment_reader_) {
        auto opened = FilmReader::open(request_.segments[segment_], {.stop = request_.stop});
        if (!opened) return opened.error();
        segment_reader_ = *std::move(opened);
      }
      auto decoded = segment_reader_->next();
      if (!decoded) return decoded.error();
      if (decoded->frame == nullptr) continue;
      if (hash_frame(*decoded->frame) == hash_frame(frame)) return ok();
      return wrong(fmt::format("frame {} has other samples than in segment {}", report_.frames, segment_));
    }
    return wrong(fmt::format("frame {} is in no segment", report_.frames));
  }

  Status compare_frame(const DecodedFrame& decoded, AVRational unit) {
    if (decoded.is_damaged) return wrong(fmt::format("frame {} is damaged", report_.frames));
    if (!decoded.pts) return wrong(fmt::format("frame {} has no time", report_.frames));
    const Fraction wanted_unit = request_.index.time_base;
    const AVRational from{wanted_unit.numerator, wanted_unit.denominator};
    const std::int64_t wanted =
        request_.index.frames[static_cast<std::size_t>(report_.frames)].pts - request_.report.shift.origin;
    const std::int64_t pts = *decoded.pts - shift_in(unit);
    if (av_compare_ts(pts, unit, wanted, from) == 0) return ok();
    report_.has_exact_times = false;
    // The nearest time that the container has is at most half a unit away.
    const bool is_representable = av_div_q(from, unit).den == 1;
    if (!is_representable && pts == av_rescale_q(wanted, from, unit)) return ok();
    return wrong(fmt::format("frame {} is shown at {} in units of {}/{} s, in the source at {} in units of {}/{} s",
                             report_.frames, pts, unit.num, unit.den, wanted, from.num, from.den));
  }

  std::int64_t shift_in(AVRational unit) const {
    const TimeShift& shift = request_.report.shift;
    return av_rescale_q(shift.count, {shift.unit.numerator, shift.unit.denominator}, unit);
  }

  /// Compares covers and attachments.
  Status compare_files(const AVFormatContext& source, const AVFormatContext& result) {
    for (const PlannedStream& planned : plan_.streams) {
      if (!planned.target || planned.fate == StreamFate::encoded) continue;
      const AVStream* written = find_result_stream(result, plan_, planned);
      if (written == nullptr)
        return wrong(fmt::format("{} (stream {} of the source) is missing", name_of(planned.kind), planned.source));
      const AVStream& original = *source.streams[planned.source];
      const bool is_file = planned.kind == StreamKind::attachment;
      if (!is_file && planned.kind != StreamKind::cover) continue;
      if (file_hash(original) != file_hash(*written))
        return wrong(fmt::format("{} (stream {} of the source) has other data", name_of(planned.kind), planned.source));
      report_.streams.push_back({.source = planned.source, .packets = 1});
    }
    return ok();
  }

  static std::uint64_t file_hash(const AVStream& stream) {
    if (stream.codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT)
      return XXH3_64bits(stream.codecpar->extradata, static_cast<std::size_t>(stream.codecpar->extradata_size));
    return XXH3_64bits(stream.attached_pic.data, static_cast<std::size_t>(stream.attached_pic.size));
  }

  Status compare_packets(SourcePackets& source, AVFormatContext& result) {
    auto originals = read_source(source);
    if (!originals) return originals.error();
    auto written = read_result(result);
    if (!written) return written.error();
    for (const PlannedStream& planned : plan_.streams) {
      const bool has_packets = planned.target && planned.fate != StreamFate::encoded &&
                               !StreamPlan::is_encoded_audio(planned) && planned.kind != StreamKind::attachment &&
                               planned.kind != StreamKind::cover;
      if (!has_packets) continue;
      const AVStream& from = *source.input().streams[planned.source];
      const AVStream& to = *result.streams[*planned.target];
      if (auto same = compare_stream(planned, from, (*originals)[planned.source], to, (*written)[*planned.target]);
          !same)
        return same;
    }
    return ok();
  }

  using Summaries = std::map<int, std::vector<PacketSummary>>;  // by the index of the stream

  void add(const AVPacket& packet, Summaries& summaries) const {
    if (request_.progress) request_.progress(kFramesShare);
    summaries[packet.stream_index].push_back({.pts = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts,
                                              .hash = XXH3_64bits(packet.data, static_cast<std::size_t>(packet.size))});
  }

  Result<Summaries> read_source(SourcePackets& source) const {
    Summaries summaries;
    for (;;) {
      auto packet = source.next();
      if (!packet) return packet.error();
      if (*packet == nullptr) return summaries;
      add(**packet, summaries);
    }
  }

  Result<Summaries> read_result(AVFormatContext& result) {
    Summaries summaries;
    for (unsigned i = 0; i < result.nb_streams; ++i) result.streams[i]->discard = AVDISCARD_ALL;
    for (const PlannedStream& planned : plan_.streams) {
      if (planned.target && planned.fate != StreamFate::encoded && !StreamPlan::is_encoded_audio(planned) &&
          *planned.target < static_cast<int>(result.nb_streams))
        result.streams[*planned.target]->discard = AVDISCARD_DEFAULT;
    }
    PacketPtr packet = make_packet();
    if (!packet) return Error{Errc::over_budget, "no memory for a packet"};
    for (;;) {
      av_packet_unref(packet.get());
      const int read = av_read_frame(&result, packet.get());
      if (request_.stop.stop_requested()) return Error{Errc::cancelled, "stopped"};
      if (read == AVERROR_EOF) return summaries;
      if (read < 0) return ffmpeg_error(read, printable(request_.result.string()));
      const AVStream& stream = *result.streams[packet->stream_index];
      if (stream.discard == AVDISCARD_ALL || (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0 ||
          is_subtitle_gap(*packet, stream.codecpar->codec_id))
        continue;
      add(*packet, summaries);
    }
  }

  Status compare_stream(const PlannedStream& planned, const AVStream& from, const std::vector<PacketSummary>& originals,
                        const AVStream& to, const std::vector<PacketSummary>& written) {
    const std::string stream = fmt::format("{} (stream {} of the source)", name_of(planned.kind), planned.source);
    const bool is_rewritten = is_rewritten_by_muxer(*from.codecpar);
    const std::size_t count = std::min(originals.size(), written.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_rewritten && originals[i].hash != written[i].hash)
        return wrong(fmt::format("{}: packet {} has other data", stream, i));
      // The joiner moved packets whose times went back; what follows them is moved too.
      if (planned.moved_packets > 0) continue;
      if (auto same = compare_times(stream, i, originals[i].pts, from, written[i].pts, to); !same) return same;
    }
    if (originals.size() != written.size())
      return wrong(fmt::format("{}: it has {} of {} packets", stream, written.size(), originals.size()));
    report_.streams.push_back({.source = planned.source,
                               .packets = static_cast<std::int64_t>(originals.size()),
                               .is_rewritten = is_rewritten,
                               .has_moved_packets = planned.moved_packets > 0});
    return ok();
  }

  /// Compares the sound that was encoded anew.
  Status compare_audio(const AVFormatContext& result) {
    std::vector<int> sources, targets;
    for (const PlannedStream& planned : plan_.streams) {
      if (!StreamPlan::is_encoded_audio(planned)) continue;
      sources.push_back(planned.source);
      targets.push_back(*planned.target);
    }
    if (sources.empty()) return ok();
    const auto progress = [this] {
      if (request_.progress) request_.progress(kFramesShare);
    };
    auto originals = summarize_audio(request_.source, sources, window_of(request_.index), progress, request_.stop);
    if (!originals) return originals.error();
    auto written = summarize_audio(request_.result, targets, {}, progress, request_.stop);
    if (!written) return written.error();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const AVCodecParameters& encoding = *result.streams[targets[i]]->codecpar;
      const PlannedStream& planned = plan_.streams[static_cast<std::size_t>(sources[i])];
      if (auto same = compare_sound(planned, (*originals)[sources[i]], (*written)[targets[i]], encoding); !same)
        return same;
      report_.streams.push_back({.source = sources[i], .samples = (*written)[targets[i]].samples});
    }
    return ok();
  }

  Status compare_sound(const PlannedStream& planned, const AudioSummary& original, const AudioSummary& written,
                       const AVCodecParameters& encoding) const {
    const std::string stream = fmt::format("audio (stream {} of the source)", planned.source);
    if (written.undecodable_packets > 0)
      return wrong(fmt::format("{}: {} packets cannot be decoded", stream, written.undecodable_packets));
    if (original.samples == 0 && written.samples == 0) return ok();
    const double begin = static_cast<double>(written.first_time - shift_in(written.unit)) * av_q2d(written.unit);
    const double wanted = (static_cast<double>(original.first_time) * av_q2d(original.unit)) - origin_seconds();
    const double rounding = (av_q2d(original.unit) + av_q2d(written.unit)) / 2;
    if (planned.is_lossless) {
      if (original.samples != written.samples)
        return wrong(fmt::format("{}: it has {} of {} samples", stream, written.samples, original.samples));
      if (original.hash != written.hash) return wrong(fmt::format("{}: it has other samples", stream));
    }
    // What encoders add: their delay at the beginning, and a part of a packet at the end.
    const double packet =
        planned.is_lossless ? 0 : static_cast<double>(std::max(encoding.frame_size, kLongestPacket)) / written.rate;
    if (begin > wanted + rounding || begin < wanted - rounding - packet)
      return wrong(fmt::format("{}: it begins at {:.6f} s, in the source at {:.6f} s", stream, begin, wanted));
    const double end = begin + written.seconds(), wanted_end = wanted + original.seconds();
    if (end > wanted_end + rounding + packet || end < wanted_end - rounding - packet)
      return wrong(fmt::format("{}: it ends at {:.6f} s, in the source at {:.6f} s", stream, end, wanted_end));
    return ok();
  }

  Status compare_times(const std::string& stream, std::size_t packet, std::int64_t original, const AVStream& from,
                       std::int64_t written, const AVStream& to) const {
    // Both containers round to their units.
    const std::int64_t pts = written - shift_in(to.time_base);
    const bool has_same_unit = av_cmp_q(from.time_base, to.time_base) == 0 && request_.report.shift.origin == 0;
    const AVRational tolerance = has_same_unit ? AVRational{0, 1} : av_add_q(from.time_base, to.time_base);
    if (is_within(pts, to.time_base, original, from.time_base, tolerance)) return ok();
    return wrong(fmt::format("{}: packet {} is at {} in units of {}/{} s, in the source at {} in units of {}/{} s",
                             stream, packet, pts, to.time_base.num, to.time_base.den, original, from.time_base.num,
                             from.time_base.den));
  }

  const VerifyRequest& request_;
  const StreamPlan& plan_;
  std::size_t segment_ = 0;  // the one whose frames are compared next
  std::unique_ptr<FilmReader> segment_reader_;
  VerifyReport report_;
};

}  // namespace

Result<VerifyReport> verify_film(const VerifyRequest& request) { return Verification{request}.run(); }

}  // namespace weir::film
