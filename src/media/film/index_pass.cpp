#include "media/film/index_pass.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/damage.hpp"
#include "media/film/display.hpp"
#include "media/film/film_reader.hpp"
#include "media/film/frame_data.hpp"
#include "media/film/frame_hash.hpp"
#include "media/film/frame_unpacker.hpp"
#include "media/film/interlacing.hpp"
#include "media/film/partial_index.hpp"
#include "media/film/segment_reader.hpp"

namespace weir::film {
namespace {

constexpr std::size_t kFramesPerStep = 1000;  // so many frames are stored in the partial index at once

constexpr double kLongestFilm = 1e9;  // seconds

std::string pixel_format_name(const AVFrame& frame) {
  const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
  return name == nullptr ? "unknown" : name;
}

/// The index of one film while it is made.
class IndexPass {
 public:
  IndexPass(std::filesystem::path path, const IndexSettings& settings)
      : path_{std::move(path)}, settings_{settings}, partial_{settings.partial} {}

  Result<FilmIndex> run() {
    if (auto checked = check_range(); !checked) return checked.error();
    const auto facts = file_facts(path_);
    if (!facts) return Error{Errc::io, fmt::format("{}: no such file", printable(path_.string()))};
    index_.file = *facts;
    index_.decoder_threads = settings_.decoder_threads;
    if (auto opened = open(); !opened) return opened.error();
    if (auto decoded = decode_all(); !decoded) return decoded.error();
    if (index_.frames.empty())
      return Error{Errc::corrupt, fmt::format("{}: no frame can be decoded", printable(path_.string()))};
    if (auto finished = finish(); !finished) return finished.error();
    if (auto removed = partial_.remove(); !removed) return removed.error();
    return std::move(index_);
  }

 private:
  Status check_range() const {
    const double from = settings_.from.value_or(0), to = settings_.to.value_or(kLongestFilm);
    if (from >= 0 && from < to && to <= kLongestFilm) return ok();
    return Error{
        Errc::invalid_argument,
        fmt::format("a part of a film begins at 0 s or later and ends after that, not from {} to {} s", from, to)};
  }

  /// Opens the reader at the first frame that is not yet in the index.
  Status open() {
    if (auto known = partial_.read(index_); known) {
      index_ = *std::move(known);
      if (continue_after_known_frames()) return ok();
      index_.frames.clear();
      index_.skipped_packets = 0;
      fields_ = {};
      next_content_ = 0;
    }
    auto reader = FilmReader::open(path_, read_settings());
    if (!reader) return reader.error();
    reader_ = *std::move(reader);
    index_.video_stream = reader_->stream().index;
    index_.orientation = orientation_of(reader_->stream());
    index_.time_base = {reader_->stream().time_base.num, reader_->stream().time_base.den};
    return ok();
  }

  ReadSettings read_settings() const {
    return {.threads = settings_.decoder_threads, .all_streams = true, .stop = settings_.stop};
  }

  /// Positions the reader behind the frames of the partial index. Returns false if these frames are not found again:
  /// then the film is indexed from its beginning.
  bool continue_after_known_frames() {
    if (index_.frames.empty() || index_.has_decoding_times) return false;
    const auto known = static_cast<FrameNumber>(index_.frames.size());
    next_content_ = std::max<FrameNumber>(0, known - 2);  // the content of the last frame depends on the one before it
    auto segment = SegmentReader::open(path_, index_, {next_content_, known}, read_settings());
    if (!segment) return false;
    for (FrameNumber number = next_content_; number < known; ++number) {
      const auto frame = (*segment)->next();
      if (!frame || *frame == nullptr || !fields_.add(*frame)) return false;
    }
    // What is known of the first of these is stored; without the frame before it the detector may say something else.
    const auto first = fields_.next_result();
    if (!first || (first->has_value() != (known > 1))) return false;
    next_content_ = known - 1;
    reader_ = (*segment)->release();
    earlier_skipped_ = index_.skipped_packets;
    return true;
  }

  Status decode_all() {
    for (;;) {
      auto decoded = reader_->next();
      if (!decoded) return decoded.error();
      if (auto found = find_content(decoded->frame); !found) return found;
      // The content of a frame is known, and can be stored, when the next one is decoded.
      if (const std::size_t count = index_.frames.size(); count > 0 && count % kFramesPerStep == 0) {
        if (auto stored = partial_.append(index_); !stored) return stored.error();
      }
      index_.skipped_packets = earlier_skipped_ + reader_->skipped_packets();
      if (decoded->frame == nullptr) return ok();
      if (is_after_range(*decoded)) {
        frame_after_range_ = *decoded->pts;
        return ok();
      }
      if (auto added = add(*decoded); !added) return added.error();
      report_progress();
    }
  }

  /// Gives the next frame, or null at the end, to the detector of fields, and stores what it says of earlier ones.
  Status find_content(const AVFrame* frame) {
    if (frame != nullptr && !index_.frames.empty() && !is_like_the_others(*frame)) return ok();  // add() refuses it
    if (auto added = fields_.add(frame); !added) return added;
    for (;;) {
      const auto content = fields_.next_result();
      if (!content) return content.error();
      if (!content->has_value() || next_content_ >= static_cast<FrameNumber>(index_.frames.size())) return ok();
      index_.frames[static_cast<std::size_t>(next_content_++)].content = **content;
    }
  }

  bool is_like_the_others(const AVFrame& frame) const {
    return frame.width == index_.width && frame.height == index_.height &&
           pixel_format_name(frame) == index_.pixel_format;
  }

  /// Returns the first time in units of the index that is not before a time of the range, or before it by rounding to
  /// microseconds alone.
  std::int64_t time_of(double seconds) const {
    const auto microseconds = static_cast<std::int64_t>(std::llround(seconds * AV_TIME_BASE));
    return av_rescale_q_rnd(first_presentation() + microseconds - 1, AVRational{1, AV_TIME_BASE}, unit(), AV_ROUND_UP);
  }
  AVRational unit() const { return {index_.time_base.numerator, index_.time_base.denominator}; }
  /// Returns when the film begins for its viewers, in units of 1/AV_TIME_BASE s. Sound that begins before 0 is the
  /// delay of its encoder, and is not played. Call it when the first frame is in the index.
  std::int64_t first_presentation() const {
    const std::int64_t frame = av_rescale_q(index_.frames.front().pts, unit(), AVRational{1, AV_TIME_BASE});
    const std::int64_t start = reader_->input().start_time;
    return start == AV_NOPTS_VALUE ? frame : std::min(frame, std::max<std::int64_t>(start, 0));
  }
  bool is_after_range(const DecodedFrame& decoded) const {
    // Times that the file does not give are known when all frames are decoded.
    if (index_.has_decoding_times || index_.frames.empty() || !decoded.pts) return false;
    return (settings_.to && *decoded.pts >= time_of(*settings_.to)) ||
           (settings_.limit && frames_in_range() >= *settings_.limit);
  }
  /// Returns the number of frames in the index that are not before the range.
  FrameNumber frames_in_range() const { return index_.frames.end() - first_at(settings_.from); }
  /// Returns the first frame that is not before a time; without a time the first frame of all.
  std::vector<IndexedFrame>::const_iterator first_at(const std::optional<double>& seconds) const {
    const auto is_before = [](const IndexedFrame& frame, std::int64_t pts) { return frame.pts < pts; };
    const auto& frames = index_.frames;
    return seconds ? std::lower_bound(frames.begin(), frames.end(), time_of(*seconds), is_before) : frames.begin();
  }

  Status add(const DecodedFrame& decoded) {
    const AVFrame& frame = *decoded.frame;
    if (index_.frames.empty()) {
      index_.width = frame.width;
      index_.height = frame.height;
      index_.pixel_format = pixel_format_name(frame);
      if (auto begun = partial_.begin(index_); !begun) return begun;
    } else if (!is_like_the_others(frame)) {
      return Error{Errc::unsupported,
                   fmt::format("{}: frame {} is {}x{} {}, the frames before it are {}x{} {}; cut the film there",
                               printable(path_.string()), index_.frames.size(), frame.width, frame.height,
                               pixel_format_name(frame), index_.width, index_.height, index_.pixel_format)};
    }
    if (!decoded.pts) index_.has_decoding_times = true;
    decoding_times_.push_back(decoded.decoding_time);
    index_.frames.push_back({.pts = decoded.pts.value_or(0),
                             .duration = duration_of(frame),
                             .hash = hash_frame(frame),
                             .is_key = is_key_frame(frame),
                             .is_damaged = decoded.is_damaged,
                             .is_interlaced = is_interlaced(frame),
                             .is_top_field_first = is_top_field_first(frame),
                             .content = FieldContent::undetermined,
                             .is_transparent = has_transparency(frame),
                             .data_kinds = frame_data_kinds(frame)});
    return ok();
  }

  void report_progress() {
    if (!settings_.progress) return;
    std::int64_t whole = reader_->input().duration;
    if (settings_.to && whole > 0) whole = std::min(whole, static_cast<std::int64_t>(*settings_.to * AV_TIME_BASE));
    double fraction = whole > 0 ? static_cast<double>(reader_->end_time() - start_time_of(reader_->input())) /
                                      static_cast<double>(whole)
                                : 0;
    if (settings_.limit)
      fraction = std::max(fraction, static_cast<double>(frames_in_range()) / static_cast<double>(*settings_.limit));
    settings_.progress(static_cast<FrameNumber>(index_.frames.size()), std::clamp(fraction, 0.0, 1.0));
  }
  Status finish() {
    if (index_.has_decoding_times)
      use_decoding_times();
    else if (auto raised = raise_times(); !raised)
      return raised;
    if (settings_.from || settings_.to || settings_.limit) {
      if (auto cut = cut_frames(); !cut) return cut;
    }
    index_.segments = find_segments(index_.frames, settings_.segments);
    const auto damaged = std::count_if(index_.frames.begin(), index_.frames.end(),
                                       [](const IndexedFrame& frame) { return frame.is_damaged; });
    index_.damage = describe_damage(*reader_, index_.skipped_packets, damaged, frame_after_range_.has_value());
    if (raised_times_ > 0) {
      index_.damage += fmt::format("{}the times of {} frames go back, so these follow at once the frame before them",
                                   index_.damage.empty() ? "" : ", ", raised_times_);
    }
    return ok();
  }

  /// Removes the frames outside of the range.
  Status cut_frames() {
    auto& frames = index_.frames;
    FilmCut cut;
    const auto begin = first_at(settings_.from);
    auto end = settings_.to ? first_at(settings_.to) : frames.cend();
    if (begin >= end) return no_frame();
    if (settings_.to) cut.end = time_of(*settings_.to);
    if (settings_.limit && end - begin >= *settings_.limit) {
      end = begin + *settings_.limit;
      const auto next = end != frames.cend() ? std::optional{end->pts} : frame_after_range_;
      if (next) cut.end = std::min(*next, cut.end.value_or(*next));
    }
    cut.frames_before = begin - frames.cbegin();
    for (auto key = begin; key != frames.cbegin() && cut.keys_before.size() < SegmentReader::kSeeks;)
      if ((--key)->is_key) cut.keys_before.insert(cut.keys_before.begin(), key->pts);
    frames.erase(end, frames.cend());
    frames.erase(frames.begin(), frames.begin() + cut.frames_before);
    index_.cut = std::move(cut);
    return ok();
  }

  Error no_frame() const {
    const IndexedFrame& last = index_.frames.back();
    const std::int64_t end =
        av_rescale_q(last.pts + last.duration, unit(), AVRational{1, AV_TIME_BASE}) - first_presentation();
    const std::int64_t length = frame_after_range_ ? std::max(end, reader_->input().duration) : end;
    return Error{Errc::invalid_argument,
                 fmt::format("{}: no frame from {} s {}; the film is {:.3f} s long", printable(path_.string()),
                             settings_.from.value_or(0),
                             settings_.to ? fmt::format("to {} s", *settings_.to) : std::string{"to its end"},
                             static_cast<double>(length) / AV_TIME_BASE)};
  }

  /// Lets each frame follow the one before it: damage can make times go back by a few frames. Errors: unsupported, if they
  /// go back farther, as in a file that was put together of several films.
  Status raise_times() {
    constexpr int kFarthestFrames = 8;
    const std::int64_t farthest = std::max(av_rescale_q(1, {1, 2}, unit()), kFarthestFrames * typical_step());
    auto& frames = index_.frames;
    for (std::size_t i = 1; i < frames.size(); ++i) {
      if (frames[i].pts > frames[i - 1].pts) continue;
      if (frames[i - 1].pts - frames[i].pts > farthest) {
        const auto seconds = [&](std::int64_t pts) { return static_cast<double>(pts) * av_q2d(unit()); };
        return Error{
            Errc::unsupported,
            fmt::format("{}: the times go back from {:.3f} s to {:.3f} s at frame {}, as if several films were put "
                        "into one file; join them with mkvmerge or ffmpeg's concat first",
                        printable(path_.string()), seconds(frames[i - 1].pts), seconds(frames[i].pts), i)};
      }
      frames[i].pts = frames[i - 1].pts + 1;
      ++raised_times_;
    }
    return ok();
  }

  /// Replaces the times of all frames by those of the packets.
  void use_decoding_times() {
    decoding_times_.resize(index_.frames.size());
    const auto times = times_from_packets(decoding_times_, typical_step());
    for (std::size_t i = 0; i < times.size(); ++i) index_.frames[i].pts = times[i];
  }
  /// Returns the duration of a frame at the film's average rate, at least 1.
  std::int64_t typical_step() const {
    const AVRational rate = reader_->stream().avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0) return 1;
    return std::max<std::int64_t>(1, av_rescale_q(1, av_inv_q(rate), reader_->stream().time_base));
  }

  std::filesystem::path path_;
  const IndexSettings& settings_;
  PartialIndex partial_;
  FilmIndex index_;
  std::unique_ptr<FilmReader> reader_;
  FieldDetector fields_;
  FrameNumber next_content_ = 0;                   // of which frame the detector says something next
  std::optional<std::int64_t> frame_after_range_;  // time of the frame at which decoding ended before the film did
  std::int64_t raised_times_ = 0;                  // frames whose time was not above that of the frame before
  std::int64_t earlier_skipped_ = 0;  // FilmIndex::skipped_packets of the part that an earlier call indexed
  std::vector<std::optional<std::int64_t>> decoding_times_;  // DecodedFrame::decoding_time of each frame
};

}  // namespace

std::vector<FrameNumber> find_segments(const std::vector<IndexedFrame>& frames, const SegmentRules& rules) {
  const auto count = static_cast<FrameNumber>(frames.size());
  std::vector<FrameNumber> segments;
  for (FrameNumber first = 0; first < count;) {
    segments.push_back(first);
    FrameNumber end = std::min(first + rules.longest, count);
    for (FrameNumber key = end; end < count && key >= first + rules.shortest; --key) {
      if (!frames[static_cast<std::size_t>(key)].is_key) continue;
      end = key;
      break;
    }
    // A rest that is too short for a segment of its own is added to the last one.
    if (count - end < rules.shortest) end = count;
    first = end;
  }
  return segments;
}

std::vector<std::int64_t> times_from_packets(const std::vector<std::optional<std::int64_t>>& times, std::int64_t step) {
  std::vector<std::int64_t> result;
  const auto known = std::find_if(times.begin(), times.end(), [](const auto& time) { return time.has_value(); });
  const std::int64_t first = known == times.end() ? 0 : **known - (known - times.begin()) * step;
  for (const auto& time : times) {
    const std::int64_t guess = result.empty() ? first : result.back() + step;
    const std::int64_t least = result.empty() ? INT64_MIN : result.back() + 1;
    result.push_back(std::max(time.value_or(guess), least));
  }
  return result;
}

Result<FilmIndex> index_film(const std::filesystem::path& path, const IndexSettings& settings) {
  return IndexPass{path, settings}.run();
}

}  // namespace weir::film
