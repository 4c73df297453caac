#include "tasks/film/preview_frames.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/display.hpp"

namespace weir::film {
namespace {

constexpr double kLongestTime = 1e9;         // in seconds; keeps times within 64 bits
constexpr double kTimeTolerance = 1e-6;      // of the conversion of times to seconds
constexpr double kEarlierSeeks[] = {0, 10};  // seconds before the part; some containers seek imprecisely

}  // namespace

PreviewFrames::PreviewFrames(std::filesystem::path path, double from, ReadSettings settings)
    : path_{std::move(path)}, from_{std::min(from, kLongestTime)}, settings_{std::move(settings)} {}

double PreviewFrames::seconds_of(std::int64_t pts) const {
  return static_cast<double>(pts - first_pts_) * av_q2d(reader_->stream().time_base);
}

Status PreviewFrames::begin_at_start() {
  auto reader = FilmReader::open(path_, settings_);
  if (!reader) return reader.error();
  reader_ = *std::move(reader);
  const std::string name = printable(path_.native());
  const auto first = reader_->next();
  if (!first) return first.error();
  if (first->frame == nullptr) return Error{Errc::corrupt, fmt::format("{}: no frame can be decoded", name)};
  frames_.emplace(*reader_, *first, name);
  first_pts_ = frames_->first_pts();
  auto film = describe_frames(*first->frame, reader_->stream(), orientation_of(reader_->stream()));
  if (!film) return Error{film.error().code, fmt::format("{}: {}", name, film.error().what)};
  film_ = *std::move(film);
  film_.decoder = reader_->decoder_traits();
  return ok();
}

Result<bool> PreviewFrames::seek() {
  const double unit = av_q2d(reader_->stream().time_base);
  for (const double earlier : kEarlierSeeks) {
    if (from_ <= earlier) return false;
    if (!reader_->seek(first_pts_ + static_cast<std::int64_t>((from_ - earlier) / unit))) return false;
    const auto decoded = reader_->next();
    if (!decoded && decoded.error().code != Errc::corrupt) return decoded.error();
    if (!decoded || decoded->frame == nullptr) continue;
    frames_.emplace(*reader_, *decoded, printable(path_.native()));
    if (seconds_of(frames_->first_pts()) <= from_) return true;
  }
  return false;
}

Result<std::unique_ptr<PreviewFrames>> PreviewFrames::open(const std::filesystem::path& path, double from,
                                                           const ReadSettings& settings) {
  std::unique_ptr<PreviewFrames> frames{new PreviewFrames{path, from, settings}};
  if (auto begun = frames->begin_at_start(); !begun) return begun.error();
  if (from <= 0) return frames;
  const auto found = frames->seek();
  if (!found) return found.error();
  if (*found) return frames;
  if (auto begun = frames->begin_at_start(); !begun) return begun.error();
  return frames;
}

Result<SourceFrame> PreviewFrames::next() {
  for (;;) {
    auto next = frames_->next();
    if (!next || next->frame == nullptr) return next;
    end_pts_ = next->pts + next->duration;
    const double time = seconds_of(next->pts) + kTimeTolerance;
    if (time < from_) continue;
    if (time >= from_ + kSeconds) return SourceFrame{};
    if (!has_begun_) next->repeats_last = false;  // the frame before it was dropped
    has_begun_ = true;
    return next;
  }
}

}  // namespace weir::film
