#include "tasks/film/stream_frames.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <utility>

#include <fmt/format.h>

#include "media/film/damage.hpp"
#include "media/film/frame_data.hpp"
#include "media/film/frame_hash.hpp"

namespace weir::film {

StreamFrames::StreamFrames(FilmReader& reader, const DecodedFrame& first, std::string name)
    : reader_{reader},
      decoded_{first},
      name_{std::move(name)},
      width_{first.frame->width},
      height_{first.frame->height},
      pixel_format_{first.frame->format} {
  first_pts_ = time_of(first);
}

Result<SourceFrame> StreamFrames::next() {
  if (count_ > 0) {
    auto decoded = reader_.next();
    if (!decoded && decoded.error().code == Errc::corrupt) {
      unreadable_ = decoded.error().what;
      return SourceFrame{};
    }
    if (!decoded) return decoded.error();
    decoded_ = *decoded;
  }
  if (decoded_.frame == nullptr) return SourceFrame{};
  if (auto checked = check_format(*decoded_.frame); !checked) return checked.error();
  if (goes_back_far()) {
    unreadable_ =
        fmt::format("the times go back far at frame {}, as if another film followed, which is left out", count_);
    return SourceFrame{};
  }
  SourceFrame next{.frame = decoded_.frame, .duration = duration_of(*decoded_.frame)};
  next.pts = time_of(decoded_);
  const std::uint64_t hash = hash_frame(*decoded_.frame);
  if (count_ > 0) {
    next.repeats_last = hash == hash_;
    shortest_step_ = std::min(shortest_step_, next.pts - last_pts_);
    longest_step_ = std::max(longest_step_, next.pts - last_pts_);
  }
  hash_ = hash;
  last_pts_ = next.pts;
  if (decoded_.is_damaged) ++damaged_frames_;
  data_kinds_ |= frame_data_kinds(*decoded_.frame);
  ++count_;
  return next;
}

Status StreamFrames::check_format(const AVFrame& frame) const {
  if (frame.width == width_ && frame.height == height_ && frame.format == pixel_format_) return ok();
  const auto format_name = [](int format) { return av_get_pix_fmt_name(static_cast<AVPixelFormat>(format)); };
  return Error{
      Errc::unsupported,
      fmt::format("{}: frame {} is {}x{} {}, the frames before it are {}x{} {}; cut the film there", name_, count_,
                  frame.width, frame.height, format_name(frame.format), width_, height_, format_name(pixel_format_))};
}

bool StreamFrames::goes_back_far() const {
  constexpr double kFarthest = 0.5;  // in seconds; damage lets times go back by a few frames
  if (count_ == 0 || has_decoding_times_ || !decoded_.pts) return false;
  const AVRational unit = reader_.stream().time_base;
  return static_cast<double>(last_pts_ - *decoded_.pts) * av_q2d(unit) > kFarthest;
}

std::int64_t StreamFrames::time_of(const DecodedFrame& decoded) {
  // Where a frame has no time of its own, the decoding times in ascending order are those of the frames (FilmReader).
  has_decoding_times_ = has_decoding_times_ || !decoded.pts;
  const std::int64_t guess = count_ == 0 ? 0 : last_pts_ + 1;
  const std::int64_t time = (has_decoding_times_ ? decoded.decoding_time : decoded.pts).value_or(guess);
  return count_ == 0 ? time : std::max(time, guess);
}

std::string StreamFrames::damage() const {
  std::string text = describe_damage(reader_, reader_.skipped_packets(), damaged_frames_);
  if (!unreadable_.empty()) text += (text.empty() ? "" : ", ") + unreadable_;
  return text;
}

}  // namespace weir::film
