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
  if (converter_ != nullptr) {
    const auto converted = converter_->convert(*kept);
    if (!converted) return converted.error();
    if (!*converted) return ok();
  }
  const std::lock_guard lock{mutex_};
  waiting_bytes_ += bytes_of(*kept);
  waiting_.push_back(std::move(kept));
  while (Bytes{waiting_bytes_} > kMostWaiting) {
    if (!file_) return Error{Errc::unsupported, "the film begins too long after its sound"};
    if (auto written = write_first(); !written) return written;
  }
  return ok();
}

void InterleavedResult::find_shift(ShiftFinder& finder, const AVFormatContext& source) const {
  for (const PacketPtr& packet : waiting_) {
    const AVStream& stream = *source.streams[packet->stream_index];
    if (packet->pts != AV_NOPTS_VALUE && packet->dts != AV_NOPTS_VALUE)
      finder.add(*packet, stream.time_base, *stream.codecpar);
  }
}

Status InterleavedResult::begin(std::unique_ptr<ResultFile> file, const StreamPlan& plan, PacketConverter& converter,
                                AVRational film_unit) {
  file_ = std::move(file);
  plan_ = &plan;
  converter_ = &converter;
  film_unit_ = film_unit;
  std::deque<PacketPtr> unconverted;
  unconverted.swap(waiting_);
  waiting_bytes_ = 0;
  for (const PacketPtr& packet : unconverted)
    if (auto added = add(*packet); !added) return added;
  return ok();
}

Status InterleavedResult::write_film(AVPacket& packet) {
  const std::lock_guard lock{mutex_};
  while (!waiting_.empty() &&
         av_compare_ts(waiting_.front()->dts, waiting_.front()->time_base, packet.dts, film_unit_) <= 0) {
    if (auto written = write_first(); !written) return written;
  }
  return file_->write_film(packet);
}

Status InterleavedResult::write_first() {
  const PacketPtr first = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= bytes_of(*first);
  return file_->write_copy(*first, plan_->streams[static_cast<std::size_t>(first->stream_index)]);
}

Result<Bytes> InterleavedResult::finish() {
  const std::lock_guard lock{mutex_};
  while (!waiting_.empty())
    if (auto written = write_first(); !written) return written.error();
  return file_->finish();
}

}  // namespace weir::film
