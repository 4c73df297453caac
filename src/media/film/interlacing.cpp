#include "media/film/interlacing.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "media/film/film_files.hpp"
#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

constexpr std::array<std::pair<Deinterlace, std::string_view>, 3> kDeinterlaceNames{
    {{Deinterlace::automatic, "auto"}, {Deinterlace::on, "on"}, {Deinterlace::off, "off"}}};

constexpr FrameNumber kFewestFrames = 24;   // so many frames that contradict are not taken for chance
constexpr FrameNumber kExceptionsPer = 20;  // one of so many frames may look different

/// What the content of frames says: numbers of frames.
struct ContentCounts {
  FrameNumber frames = 0, progressive = 0, top_first = 0, bottom_first = 0;

  FrameNumber interlaced() const { return top_first + bottom_first; }
  bool looks_interlaced() const {
    const FrameNumber most = std::max(top_first, bottom_first), least = std::min(top_first, bottom_first);
    return most >= kFewestFrames && most * 3 >= frames && most * 2 >= progressive && least * kExceptionsPer <= most;
  }
  bool looks_progressive() const {
    return progressive >= kFewestFrames && progressive * 3 >= frames && interlaced() * kExceptionsPer <= progressive;
  }
};

/// Counts the frames that have the flag, or those that do not have it.
ContentCounts count_content(const FilmIndex& index, bool is_flagged) {
  ContentCounts counts;
  for (const IndexedFrame& frame : index.frames) {
    if (frame.is_interlaced != is_flagged) continue;
    ++counts.frames;
    counts.progressive += frame.content == FieldContent::progressive ? 1 : 0;
    counts.top_first += frame.content == FieldContent::top_first ? 1 : 0;
    counts.bottom_first += frame.content == FieldContent::bottom_first ? 1 : 0;
  }
  return counts;
}

FieldContent content_of(const std::string& name) {
  if (name == "progressive") return FieldContent::progressive;
  if (name == "tff") return FieldContent::top_first;
  return name == "bff" ? FieldContent::bottom_first : FieldContent::undetermined;
}

}  // namespace

std::string_view name_of(Deinterlace deinterlace) {
  return kDeinterlaceNames[static_cast<std::size_t>(deinterlace)].second;
}

std::optional<Deinterlace> deinterlace_named(std::string_view name) {
  for (const auto& [value, text] : kDeinterlaceNames)
    if (text == name) return value;
  return std::nullopt;
}

Result<Deinterlacing> decide_deinterlacing(const FilmIndex& index, Deinterlace wanted) {
  using Frames = Deinterlacing::Frames;
  const ContentCounts plain = count_content(index, false), flagged = count_content(index, true);
  if (wanted == Deinterlace::off) return Deinterlacing{};
  if (wanted == Deinterlace::on)
    return Deinterlacing{Frames::all, plain.top_first + flagged.top_first >= plain.bottom_first + flagged.bottom_first};
  constexpr const char* kAdvice = "; give --deinterlace on if it is interlaced, and off if it is not";
  if (plain.looks_interlaced()) {
    return Error{Errc::invalid_argument,
                 fmt::format("{} frames of the film are flagged as progressive, but {} of these look interlaced{}",
                             plain.frames, plain.interlaced(), kAdvice)};
  }
  if (flagged.looks_progressive()) {
    return Error{Errc::invalid_argument,
                 fmt::format("{} frames of the film are flagged as interlaced, but {} of these look progressive{}",
                             flagged.frames, flagged.progressive, kAdvice)};
  }
  return Deinterlacing{flagged.frames > 0 ? Frames::flagged : Frames::none};
}

AVFieldOrder field_order_of(const FilmIndex& index) {
  FrameNumber top = 0, bottom = 0;
  for (const IndexedFrame& frame : index.frames) {
    if (!frame.is_interlaced) continue;
    ++(frame.is_top_field_first ? top : bottom);
  }
  if ((top + bottom) * 2 <= static_cast<FrameNumber>(index.frames.size())) return AV_FIELD_PROGRESSIVE;
  return top >= bottom ? AV_FIELD_TT : AV_FIELD_BB;
}

Status FieldDetector::add(const AVFrame* frame) {
  if (frame == nullptr) {
    has_ended_ = true;
    return filter_ ? filter_->send(nullptr) : ok();
  }
  ++pending_;
  const auto planar = planar_format_of(static_cast<AVPixelFormat>(frame->format));
  const bool is_plain = planar == static_cast<AVPixelFormat>(frame->format);
  if (!has_begun_) {
    has_begun_ = true;
    FramePtr like = make_frame();
    if (!like) return Error{Errc::over_budget, "no memory for a frame"};
    like->format = planar.value_or(AV_PIX_FMT_NONE);
    like->width = frame->width;
    like->height = frame->height;
    auto filter = planar ? FrameFilter::create(*like, "idet") : Error{Errc::unsupported, "no planes"};
    if (filter)
      filter_ = *std::move(filter);
    else if (filter.error().code != Errc::unsupported)
      return filter.error();
  }
  if (!filter_ || is_plain) return filter_ ? filter_->send(frame) : ok();
  const auto unpacked = unpack_frame(*frame);
  return unpacked ? filter_->send(unpacked->get()) : Status{unpacked.error()};
}

Result<std::optional<FieldContent>> FieldDetector::next_result() {
  std::optional<FieldContent> content;
  if (filter_) {
    const auto frame = filter_->receive();
    if (!frame) return frame.error();
    if (*frame != nullptr) content = content_of(tag_of((*frame)->metadata, "lavfi.idet.single.current_frame"));
  } else if (pending_ > (has_ended_ ? 0 : 1)) {
    content = FieldContent::undetermined;
  }
  if (content) --pending_;
  return content;
}

}  // namespace weir::film
