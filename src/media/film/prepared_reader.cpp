#include "media/film/prepared_reader.hpp"

#include <algorithm>
#include <utility>

#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

bool has_same_samples_and_flags(const IndexedFrame& a, const IndexedFrame& b) {
  return a.hash == b.hash && a.is_interlaced == b.is_interlaced && a.is_top_field_first == b.is_top_field_first;
}

}  // namespace

Result<std::unique_ptr<PreparedReader>> PreparedReader::open(const std::filesystem::path& path, const FilmIndex& index,
                                                             FrameRange range, const Deinterlacing& deinterlacing,
                                                             ReadSettings settings) {
  std::unique_ptr<PreparedReader> prepared{new PreparedReader{index, range, deinterlacing}};
  auto reader = SegmentReader::open(path, index, prepared->decoded_range_, std::move(settings));
  if (!reader) return reader.error();
  prepared->reader_ = *std::move(reader);
  return prepared;
}

Result<const AVFrame*> PreparedReader::read() {
  auto decoded = reader_->next();
  if (!decoded || *decoded == nullptr || is_plain_planar(static_cast<AVPixelFormat>((*decoded)->format)))
    return decoded;
  auto unpacked = unpack_frame(**decoded);
  if (!unpacked) return unpacked.error();
  unpacked_ = *std::move(unpacked);
  return unpacked_.get();
}

Result<const AVFrame*> PreparedReader::next() {
  return deinterlacing_.frames == Deinterlacing::Frames::none ? read() : next_deinterlaced();
}

Result<const AVFrame*> PreparedReader::next_deinterlaced() {
  while (next_filtered_ < range_.end) {
    if (filter_) {
      auto filtered = filter_->receive();
      if (!filtered) return filtered.error();
      if (*filtered != nullptr) {
        if (next_filtered_++ < range_.first) continue;
        return *filtered;
      }
      if (has_ended_) return Error{Errc::corrupt, "the deinterlacer returned fewer frames than it got"};
    }
    if (auto fed = feed_filter(); !fed) return fed.error();
  }
  return static_cast<const AVFrame*>(nullptr);
}

Status PreparedReader::feed_filter() {
  const auto frame = read();
  if (!frame) return frame.error();
  if (!filter_ && *frame != nullptr) {
    const bool is_selective = deinterlacing_.frames == Deinterlacing::Frames::flagged;
    auto filter = FrameFilter::create(
        **frame, is_selective ? "bwdif=mode=send_frame:deint=interlaced" : "bwdif=mode=send_frame:deint=all");
    if (!filter) return filter.error();
    filter_ = *std::move(filter);
  }
  if (!filter_) return Error{Errc::invalid_argument, "a range without frames"};
  if (*frame == nullptr) {
    has_ended_ = true;
    return filter_->send(nullptr);
  }
  if (deinterlacing_.frames == Deinterlacing::Frames::flagged || is_interlaced(**frame)) return filter_->send(*frame);
  // The filter would assume that the top field is first.
  FramePtr flagged{av_frame_clone(*frame)};
  if (!flagged) return Error{Errc::over_budget, "no memory for a frame"};
  set_interlaced(*flagged, true, deinterlacing_.is_top_field_first);
  return filter_->send(flagged.get());
}

bool PreparedReader::repeats_last(const FilmIndex& index, const Deinterlacing& deinterlacing, FrameNumber number) {
  const auto is_same = [&](FrameNumber i) {
    const auto& frames = index.frames;
    return i > 0 && i < static_cast<FrameNumber>(frames.size()) &&
           has_same_samples_and_flags(frames[static_cast<std::size_t>(i)], frames[static_cast<std::size_t>(i) - 1]);
  };
  if (deinterlacing.frames == Deinterlacing::Frames::none) return is_same(number);
  // Both frames have the same neighbours.
  return is_same(number - 1) && is_same(number) && is_same(number + 1);
}

}  // namespace weir::film
