#include "media/film/segment_reader.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/frame_hash.hpp"

namespace weir::film {
namespace {

bool is_before(const IndexedFrame& a, const IndexedFrame& b) { return a.pts < b.pts; }

/// Returns whether each frame has a time of its own that a decoder gives again after a seek.
bool times_identify_frames(const FilmIndex& index) {
  const auto not_ascending = [](const IndexedFrame& a, const IndexedFrame& b) { return a.pts >= b.pts; };
  return !index.has_decoding_times &&
         std::adjacent_find(index.frames.begin(), index.frames.end(), not_ascending) == index.frames.end();
}

}  // namespace

ReadSettings settings_of(const FilmIndex& index, std::stop_token stop) {
  return {.threads = index.decoder_threads, .video_stream = index.video_stream, .stop = std::move(stop)};
}

SegmentReader::SegmentReader(std::filesystem::path path, const FilmIndex& index, FrameRange range,
                             ReadSettings settings)
    : path_{std::move(path)},
      index_{index},
      range_{range},
      settings_{std::move(settings)},
      can_seek_{times_identify_frames(index)},
      next_{range.first} {}

Result<std::unique_ptr<SegmentReader>> SegmentReader::open(const std::filesystem::path& path, const FilmIndex& index,
                                                           FrameRange range, ReadSettings settings) {
  std::unique_ptr<SegmentReader> segment{new SegmentReader{path, index, range, std::move(settings)}};
  auto reader = FilmReader::open(path, segment->settings_);
  if (!reader) return reader.error();
  segment->reader_ = *std::move(reader);
  segment->is_positioned_ = range.first == 0 && segment->frames_before() == 0;
  return segment;
}

bool SegmentReader::is_right(const DecodedFrame& decoded, FrameNumber number) const {
  return decoded.frame != nullptr && hash_frame(*decoded.frame) == index_.frames[static_cast<std::size_t>(number)].hash;
}

Result<const AVFrame*> SegmentReader::next() {
  if (next_ >= range_.end) return static_cast<const AVFrame*>(nullptr);
  bool is_found = false;
  if (is_positioned_) {
    auto decoded = reader_->next();
    if (!decoded) return decoded.error();
    frame_ = *decoded;
    is_found = is_right(frame_, next_);
  }
  if (!is_found) {
    if (auto found = find_next(); !found) return found.error();
  }
  is_positioned_ = true;
  ++next_;
  return frame_.frame;
}

std::vector<std::int64_t> SegmentReader::keys_before_next() const {
  std::vector<std::int64_t> keys;
  if (!can_seek_) return keys;
  const FrameNumber first = frames_before() > 0 ? 0 : 1;  // the film's own first frame is reached without a seek
  for (FrameNumber key = next_; key >= first && keys.size() < kSeeks; --key) {
    const IndexedFrame& frame = index_.frames[static_cast<std::size_t>(key)];
    if (frame.is_key) keys.push_back(frame.pts);
  }
  if (!index_.cut) return keys;
  const auto& earlier = index_.cut->keys_before;
  for (auto key = earlier.rbegin(); key != earlier.rend() && keys.size() < kSeeks; ++key) keys.push_back(*key);
  return keys;
}

Status SegmentReader::find_next() {
  for (const std::int64_t key_pts : keys_before_next()) {
    auto found = begin_at_key(key_pts);
    if (!found) return found.error();
    if (*found) return ok();
  }
  auto found = begin_at_start();
  if (!found) return found.error();
  if (*found) return ok();
  return Error{Errc::io, fmt::format("{}: frame {} is not as in the index: the film was changed",
                                     printable(path_.string()), next_)};
}

Result<bool> SegmentReader::begin_at_key(std::int64_t key_pts) {
  const auto& frames = index_.frames;
  if (auto sought = reader_->seek(key_pts); !sought) return false;
  for (;;) {
    auto decoded = reader_->next();
    if (!decoded) return decoded.error();
    if (decoded->frame == nullptr || !decoded->pts) return false;
    if (index_.cut && *decoded->pts < frames.front().pts) continue;
    const auto place = std::lower_bound(frames.begin(), frames.end(), IndexedFrame{.pts = *decoded->pts}, is_before);
    if (place == frames.end() || place->pts != *decoded->pts) return false;
    const FrameNumber number = place - frames.begin();
    if (number < next_) continue;
    frame_ = *decoded;
    return number == next_ && is_right(frame_, next_);
  }
}

Result<bool> SegmentReader::begin_at_start() {
  auto reader = FilmReader::open(path_, settings_);
  if (!reader) return reader.error();
  reader_ = *std::move(reader);
  for (FrameNumber number = -frames_before();; ++number) {
    auto decoded = reader_->next();
    if (!decoded) return decoded.error();
    if (decoded->frame == nullptr) return false;
    if (number < next_) continue;
    frame_ = *decoded;
    return is_right(frame_, next_);
  }
}

}  // namespace weir::film
