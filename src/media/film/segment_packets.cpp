#include "media/film/segment_packets.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/segment_encoder.hpp"

namespace weir::film {
namespace {

bool is_shown_before(const IndexedFrame& frame, std::int64_t pts) { return frame.pts < pts; }

/// Returns what two encodings differ in; null if a decoder of one can decode the other.
const char* difference_of(const AVCodecParameters& a, const AVCodecParameters& b) {
  if (a.codec_id != b.codec_id) return "codec";
  if (a.width != b.width || a.height != b.height) return "size";
  const auto size = static_cast<std::size_t>(a.extradata_size);
  if (a.extradata_size != b.extradata_size || (size > 0 && std::memcmp(a.extradata, b.extradata, size) != 0))
    return "headers (extradata)";
  return nullptr;
}

}  // namespace

SegmentPackets::SegmentPackets(const FilmIndex& index, const std::vector<std::filesystem::path>& files,
                               std::stop_token stop)
    : index_{index}, files_{files}, stop_{std::move(stop)} {}

Error SegmentPackets::wrong(const std::string& what) const {
  return Error{Errc::corrupt, fmt::format("segment {} ({}): {}", segment_, printable(files_[segment_].string()), what)};
}

Status SegmentPackets::open_segment() {
  auto input = open_input(files_[segment_], Probe::no);
  if (!input) return Error{input.error().code, fmt::format("segment {}: {}", segment_, input.error().what)};
  if ((*input)->nb_streams != 1) return wrong("it does not have one stream");
  if (auto same = check_encoding(**input); !same) return same;
  input_ = *std::move(input);
  is_found_.assign(static_cast<std::size_t>(index_.segment(segment_).count()), false);
  found_ = 0;
  return ok();
}

Status SegmentPackets::check_encoding(const AVFormatContext& input) {
  const AVCodecParameters& parameters = *input.streams[0]->codecpar;
  if (!first_) {
    first_.reset(avcodec_parameters_alloc());
    if (!first_ || avcodec_parameters_copy(first_.get(), &parameters) < 0)
      return Error{Errc::over_budget, "no memory for a segment"};
    return ok();
  }
  if (const char* difference = difference_of(*first_, parameters); difference != nullptr)
    return wrong(
        fmt::format("its {} differ from the first segment's: encode all segments with the same settings", difference));
  return ok();
}

Result<FrameNumber> SegmentPackets::frame_of(const AVPacket& packet) {
  const AVRational unit = input_->streams[0]->time_base;
  const AVRational wanted{index_.time_base.numerator, index_.time_base.denominator};
  const std::int64_t offset = segment_time_offset(index_);
  const std::int64_t pts = packet.pts == AV_NOPTS_VALUE ? packet.pts : av_rescale_q(packet.pts, unit, wanted) - offset;
  const FrameRange range = index_.segment(segment_);
  const auto begin = index_.frames.begin() + range.first;
  const auto end = index_.frames.begin() + range.end;
  const auto place = std::lower_bound(begin, end, pts, is_shown_before);
  if (place == end || place->pts != pts || av_compare_ts(packet.pts, unit, pts + offset, wanted) != 0)
    return wrong(fmt::format("it has a frame at {} (in units of {}/{} s), which is none of the frames {} to {}", pts,
                             wanted.num, wanted.den, range.first, range.end - 1));
  const auto i = static_cast<std::size_t>(place - begin);
  if (is_found_[i]) return wrong(fmt::format("it has frame {} twice", range.first + (place - begin)));
  is_found_[i] = true;
  ++found_;
  return range.first + (place - begin);
}

Result<FilmPacket> SegmentPackets::next() {
  if (!packet_) return Error{Errc::over_budget, "no memory for a packet"};
  for (; segment_ < files_.size(); ++segment_) {
    if (!input_) {
      if (auto opened = open_segment(); !opened) return opened.error();
    }
    av_packet_unref(packet_.get());
    const int result = av_read_frame(input_.get(), packet_.get());
    if (stop_.stop_requested()) return Error{Errc::cancelled, "stopped"};
    if (result == 0) {
      auto frame = frame_of(*packet_);
      if (!frame) return frame.error();
      return FilmPacket{packet_.get(), *frame, position_++};
    }
    if (result != AVERROR_EOF) return ffmpeg_error(result, fmt::format("segment {}", segment_));
    if (found_ != static_cast<FrameNumber>(is_found_.size()))
      return wrong(fmt::format("it has {} of {} frames", found_, is_found_.size()));
    input_.reset();
  }
  return FilmPacket{};
}

Result<DecodingTimes> DecodingTimes::scan(SegmentPackets& packets, const FilmIndex& index,
                                          const std::function<void()>& progress) {
  DecodingTimes times{index};
  for (;;) {
    const auto packet = packets.next();
    if (!packet) return packet.error();
    if (packet->packet == nullptr) return times;
    times.delay_ = std::max(times.delay_, packet->position - packet->frame);
    if (progress) progress();
  }
}

std::int64_t DecodingTimes::at(FrameNumber position) const {
  const auto& frames = index_->frames;
  if (position >= delay_) return frames[static_cast<std::size_t>(position - delay_)].pts;
  const std::int64_t step = frames.size() > 1 ? frames[1].pts - frames[0].pts : 1;
  return frames[0].pts - ((delay_ - position) * step);
}

}  // namespace weir::film
