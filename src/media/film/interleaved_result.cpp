#include "media/film/interleaved_result.hpp"

#include <utility>

namespace weir::film {
namespace {

/// Bytes of a packet that waits, with those of its administration.
std::size_t bytes_of(const AVPacket& packet) { return static_cast<std::size_t>(packet.size) + 512; }

}  // namespace

Status InterleavedResult::add(AVPacket& packet) {
  PacketPtr kept = make_packet();
  if (!kept) return Error{Errc::over_budget, "no memory for a packet"};
  av_packet_move_ref(kept.get(), &packet);
  Waiting waiting{std::move(kept)};
  if (converter_ != nullptr) {
    auto converted = convert(std::move(waiting.packet));
    if (!converted) return converted.error();
    if (!converted->packet) return ok();
    waiting = *std::move(converted);
  }
  const std::lock_guard lock{mutex_};
  waiting_bytes_ += bytes_of(*waiting.packet);
  waiting_.push_back(std::move(waiting));
  while (Bytes{waiting_bytes_} > kMostWaiting) {
    if (!file_) return Error{Errc::unsupported, "the film begins too long after its sound"};
    if (auto written = write_first(); !written) return written;
  }
  return ok();
}

void InterleavedResult::find_shift(ShiftFinder& finder, const AVFormatContext& source) const {
  for (const Waiting& waiting : waiting_) {
    const AVPacket& packet = *waiting.packet;
    if (packet.pts != AV_NOPTS_VALUE && packet.dts != AV_NOPTS_VALUE)
      finder.add(packet, *source.streams[packet.stream_index]);
  }
}

Status InterleavedResult::begin(std::unique_ptr<ResultFile> file, const AVFormatContext& source, const StreamPlan& plan,
                                PacketConverter& converter, AVRational film_unit) {
  file_ = std::move(file);
  source_ = &source;
  plan_ = &plan;
  converter_ = &converter;
  film_unit_ = film_unit;
  std::deque<Waiting> unconverted;
  unconverted.swap(waiting_);
  waiting_bytes_ = 0;
  for (Waiting& waiting : unconverted)
    if (auto added = add(*waiting.packet); !added) return added;
  return ok();
}

Result<InterleavedResult::Waiting> InterleavedResult::convert(PacketPtr packet) {
  auto converted = converter_->convert(*packet);
  if (!converted) return converted.error();
  if (!*converted) return Waiting{};
  const AVRational unit = source_->streams[packet->stream_index]->time_base;
  return Waiting{std::move(packet), unit};
}

Status InterleavedResult::write_film(AVPacket& packet) {
  const std::lock_guard lock{mutex_};
  while (!waiting_.empty() &&
         av_compare_ts(waiting_.front().packet->dts, waiting_.front().unit, packet.dts, film_unit_) <= 0) {
    if (auto written = write_first(); !written) return written;
  }
  return file_->write_film(packet);
}

Status InterleavedResult::write_first() {
  const Waiting first = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= bytes_of(*first.packet);
  return file_->write_copy(*first.packet, plan_->streams[static_cast<std::size_t>(first.packet->stream_index)]);
}

Result<Bytes> InterleavedResult::finish() {
  const std::lock_guard lock{mutex_};
  while (!waiting_.empty())
    if (auto written = write_first(); !written) return written.error();
  return file_->finish();
}

}  // namespace weir::film
