#include <algorithm>
#include <utility>

#include "media/film/result_file.hpp"

namespace weir::film {
namespace {

constexpr int kMostPacketsToRead = 5000;  // of the beginning of a source, if one of its streams begins late

/// Returns how many samples at the beginning of a sound are not played.
std::int64_t unplayed_samples(const AVPacket& packet, const AVCodecParameters& parameters) {
  std::size_t size = 0;
  const std::uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
  std::int64_t skipped = 0;
  // The number of samples to skip, in 32 bits with the lowest byte first.
  for (std::size_t i = 0; data != nullptr && size >= 4 && i < 4; ++i) skipped |= std::int64_t{data[i]} << (8 * i);
  return std::max<std::int64_t>(skipped, parameters.initial_padding);
}

}  // namespace

std::int64_t padding_when_read(Container container, const AVCodecParameters& parameters, AVRational unit) {
  if (!row_of(container).adds_padding_when_read || parameters.codec_id != AV_CODEC_ID_OPUS) return 0;
  return av_rescale_q(parameters.initial_padding, {1, 48000}, unit);
}

std::int64_t TimeShift::apply(std::int64_t time, AVRational source_unit, AVRational result_unit) const {
  return difference_in(time, source_unit, origin, {origin_unit.numerator, origin_unit.denominator}, result_unit) +
         av_rescale_q(count, {unit.numerator, unit.denominator}, result_unit);
}

std::optional<TimeWindow> window_of(const FilmIndex& index) {
  if (!index.cut) return std::nullopt;
  return TimeWindow{.begin = index.frames.front().pts,
                    .end = index.cut->end,
                    .unit = {index.time_base.numerator, index.time_base.denominator}};
}

ShiftFinder::ShiftFinder(const StreamPlan& plan, Fraction film_unit, std::int64_t first_time,
                         const std::optional<TimeWindow>& window)
    : row_{row_of(plan.container)},
      window_{window},
      // Where all times are in ms, other units would be rounded twice.
      shift_{.unit = row_.has_fixed_time_unit ? Fraction{1, 1000} : film_unit,
             .origin = window ? window->begin : 0,
             .origin_unit = window ? film_unit : Fraction{1, 1}},
      earliest_{shift_.apply(first_time, {film_unit.numerator, film_unit.denominator},
                             {shift_.unit.numerator, shift_.unit.denominator})} {
  for (const PlannedStream& planned : plan.streams) {
    const bool is_copied = planned.fate == StreamFate::copied;
    if ((is_copied && (planned.kind == StreamKind::audio || planned.kind == StreamKind::video)) ||
        StreamPlan::is_encoded_audio(planned))
      missing_.insert(planned.source);
  }
}

void ShiftFinder::add(const AVPacket& packet, AVRational packet_unit, const AVCodecParameters& parameters) {
  if (missing_.erase(packet.stream_index) == 0) return;
  const AVRational unit{shift_.unit.numerator, shift_.unit.denominator};
  const AVRational origin_unit{shift_.origin_unit.numerator, shift_.origin_unit.denominator};
  const std::int64_t first = (row_.has_decoding_times_from_zero ? packet.dts : packet.pts) +
                             padding_when_read(row_.container, parameters, packet_unit);
  // Times in ms are rounded in the same way when they are written; others must not be below 0 by less than a unit.
  const AVRounding rounding = row_.has_fixed_time_unit ? AV_ROUND_NEAR_INF : AV_ROUND_DOWN;
  std::int64_t begin = difference_in(first, packet_unit, shift_.origin, origin_unit, unit, rounding);
  const bool is_audio = parameters.codec_type == AVMEDIA_TYPE_AUDIO;
  // An edit list hides the part of the first packet that is before the part of the film.
  if (row_.has_edit_lists && is_audio && window_) begin = std::max<std::int64_t>(begin, 0);
  if (row_.has_edit_lists && is_audio && parameters.sample_rate > 0)
    begin += av_rescale_q_rnd(unplayed_samples(packet, parameters), {1, parameters.sample_rate}, unit, AV_ROUND_UP);
  earliest_ = std::min(earliest_, begin);
}

TimeShift ShiftFinder::shift() const {
  TimeShift shift = shift_;
  shift.count = std::max<std::int64_t>(0, -earliest_);
  return shift;
}

Result<TimeShift> find_time_shift(const std::filesystem::path& source, ShiftFinder finder, const StreamPlan& plan,
                                  std::stop_token stop) {
  auto packets = SourcePackets::open(source, plan, finder.window(), std::move(stop));
  if (!packets) return packets.error();
  const ParametersPtr parameters{avcodec_parameters_alloc()};
  if (!parameters) return Error{Errc::over_budget, "no memory for a stream"};
  for (int read = 0; read < kMostPacketsToRead && finder.is_incomplete(); ++read) {
    auto packet = (*packets)->next();
    if (!packet) return packet.error();
    if (*packet == nullptr) break;
    const PlannedStream& planned = plan.streams[static_cast<std::size_t>((*packet)->stream_index)];
    if (auto described = (*packets)->converter().describe(planned, *parameters); !described) return described.error();
    finder.add(**packet, (*packet)->time_base, *parameters);
  }
  return finder.shift();
}

}  // namespace weir::film
