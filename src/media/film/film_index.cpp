#include "media/film/film_index.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace weir::film {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 2;  // version of the text

Error damaged_index(const std::string& why) { return Error{Errc::corrupt, "film index: " + why}; }

/// Removes the text up to the first blank from `rest` and reads it as a number; empty if it is none.
template <class Number>
std::optional<Number> take_number(std::string_view& rest, int base = 10) {
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  Number value{};
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value, base);
  if (word.empty() || problem != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// Returns an integer; throws Json::exception for anything else, also for 1.5 and 1e30.
template <class Number>
Number integer(const Json& value) {
  return static_cast<Number>(value.get_ref<const Json::number_integer_t&>());
}

// The letters of a frame's line.
constexpr char kKey = 'k';
constexpr char kDamaged = 'd';
constexpr char kInterlaced = 'i';
constexpr char kTopFieldFirst = 't';
constexpr char kTransparent = 'a';
constexpr char kProgressiveContent = 'P';
constexpr char kTopFirstContent = 'T';
constexpr char kBottomFirstContent = 'B';
constexpr char kFirstDataKind = '0';  // the next kind is '1'
constexpr int kMostDataKinds = 10;

Json to_json(const FilmCut& cut) {
  return {{"frames_before", cut.frames_before},
          {"keys_before", cut.keys_before},
          {"end", cut.end ? Json(*cut.end) : Json()}};
}

FilmCut parse_cut(const Json& json) {
  FilmCut cut{.frames_before = integer<FrameNumber>(json.at("frames_before"))};
  cut.keys_before.reserve(json.at("keys_before").size());
  for (const Json& key : json.at("keys_before")) cut.keys_before.push_back(integer<std::int64_t>(key));
  if (!json.at("end").is_null()) cut.end = integer<std::int64_t>(json.at("end"));
  return cut;
}

Result<FilmIndex> parse_header(const Json& json, std::size_t& frames) {
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat)
    return damaged_index("another format");
  FilmIndex index;
  index.file = {integer<std::uint64_t>(json.at("file_size")), integer<std::int64_t>(json.at("file_mtime_ns"))};
  index.video_stream = integer<int>(json.at("video_stream"));
  index.decoder_threads = integer<int>(json.at("decoder_threads"));
  index.encoder_threads = integer<int>(json.at("encoder_threads"));
  index.time_base = {integer<int>(json.at("time_base").at(0)), integer<int>(json.at("time_base").at(1))};
  index.width = integer<int>(json.at("width"));
  index.height = integer<int>(json.at("height"));
  index.orientation = {json.at("orientation").at(0).get<bool>(), integer<int>(json.at("orientation").at(1))};
  index.pixel_format = json.at("pixel_format").get<std::string>();
  index.has_decoding_times = json.at("has_decoding_times").get<bool>();
  index.skipped_packets = integer<std::int64_t>(json.at("skipped_packets"));
  index.damage = json.at("damage").get<std::string>();
  if (json.contains("cut")) {
    index.cut = parse_cut(json.at("cut"));
    if (index.cut->frames_before < 0) return damaged_index("wrong part");
  }
  index.segments.reserve(json.at("segments").size());
  for (const Json& first : json.at("segments")) index.segments.push_back(integer<FrameNumber>(first));
  frames = integer<std::size_t>(json.at("frames"));
  if (index.orientation.degrees < 0 || index.orientation.degrees > 270 || index.orientation.degrees % 90 != 0)
    return damaged_index("wrong orientation");
  if (index.time_base.numerator <= 0 || index.time_base.denominator <= 0) return damaged_index("wrong time base");
  return index;
}

bool are_ascending_from_zero(const std::vector<FrameNumber>& segments, std::size_t frames) {
  FrameNumber previous = -1;
  for (const FrameNumber first : segments) {
    if (first <= previous || (previous < 0 && first != 0)) return false;
    previous = first;
  }
  return segments.empty() || static_cast<std::size_t>(previous) < frames;
}

}  // namespace

FrameRange FilmIndex::segment(std::size_t number) const {
  const auto frame_count = static_cast<FrameNumber>(frames.size());
  return {segments[number], number + 1 < segments.size() ? segments[number + 1] : frame_count};
}

bool FilmIndex::has_transparency() const {
  return std::any_of(frames.begin(), frames.end(), [](const IndexedFrame& frame) { return frame.is_transparent; });
}

std::uint32_t FilmIndex::data_kinds() const {
  std::uint32_t kinds = 0;
  for (const IndexedFrame& frame : frames) kinds |= frame.data_kinds;
  return kinds;
}

std::string to_line(const IndexedFrame& frame) {
  std::string letters;
  if (frame.is_key) letters += kKey;
  if (frame.is_damaged) letters += kDamaged;
  if (frame.is_interlaced) letters += kInterlaced;
  if (frame.is_top_field_first) letters += kTopFieldFirst;
  if (frame.is_transparent) letters += kTransparent;
  if (frame.content == FieldContent::progressive) letters += kProgressiveContent;
  if (frame.content == FieldContent::top_first) letters += kTopFirstContent;
  if (frame.content == FieldContent::bottom_first) letters += kBottomFirstContent;
  for (int kind = 0; kind < kMostDataKinds; ++kind)
    if ((frame.data_kinds >> kind & 1) != 0) letters += static_cast<char>(kFirstDataKind + kind);
  return fmt::format("{} {} {:016x} {}\n", frame.pts, frame.duration, frame.hash, letters.empty() ? "-" : letters);
}

Result<IndexedFrame> parse_frame_line(std::string_view line) {
  const auto pts = take_number<std::int64_t>(line);
  const auto duration = take_number<std::int64_t>(line);
  const auto hash = take_number<std::uint64_t>(line, 16);
  if (!pts || !duration || !hash || line.empty()) return damaged_index("a line is no frame");
  IndexedFrame frame{.pts = *pts, .duration = *duration, .hash = *hash};
  if (line == "-") return frame;
  for (const char letter : line) {
    switch (letter) {
      case kKey:
        frame.is_key = true;
        break;
      case kDamaged:
        frame.is_damaged = true;
        break;
      case kInterlaced:
        frame.is_interlaced = true;
        break;
      case kTopFieldFirst:
        frame.is_top_field_first = true;
        break;
      case kTransparent:
        frame.is_transparent = true;
        break;
      case kProgressiveContent:
        frame.content = FieldContent::progressive;
        break;
      case kTopFirstContent:
        frame.content = FieldContent::top_first;
        break;
      case kBottomFirstContent:
        frame.content = FieldContent::bottom_first;
        break;
      default:
        if (letter < kFirstDataKind || letter >= kFirstDataKind + kMostDataKinds)
          return damaged_index("a line is no frame");
        frame.data_kinds |= std::uint32_t{1} << (letter - kFirstDataKind);
    }
  }
  return frame;
}

std::string to_text(const FilmIndex& index) {
  Json header{{"format", kFormat},
              {"file_size", index.file.size},
              {"file_mtime_ns", index.file.mtime_ns},
              {"video_stream", index.video_stream},
              {"decoder_threads", index.decoder_threads},
              {"encoder_threads", index.encoder_threads},
              {"time_base", {index.time_base.numerator, index.time_base.denominator}},
              {"width", index.width},
              {"height", index.height},
              {"orientation", {index.orientation.is_mirrored, index.orientation.degrees}},
              {"pixel_format", index.pixel_format},
              {"has_decoding_times", index.has_decoding_times},
              {"skipped_packets", index.skipped_packets},
              {"damage", index.damage},
              {"segments", index.segments},
              {"frames", index.frames.size()}};
  if (index.cut) header["cut"] = to_json(*index.cut);
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (const IndexedFrame& frame : index.frames) text += to_line(frame);
  return text;
}

Result<FilmIndex> parse_film_index(std::string_view text) try {
  const std::size_t header_end = text.find('\n');
  if (header_end == std::string_view::npos) return damaged_index("cut off");
  std::size_t frames = 0;
  auto index = parse_header(Json::parse(text.substr(0, header_end)), frames);
  if (!index) return index;
  text.remove_prefix(header_end + 1);
  while (!text.empty()) {
    const std::size_t line_end = text.find('\n');
    if (line_end == std::string_view::npos) return damaged_index("cut off");
    const auto frame = parse_frame_line(text.substr(0, line_end));
    if (!frame) return frame.error();
    index->frames.push_back(*frame);
    text.remove_prefix(line_end + 1);
  }
  if (index->frames.size() != frames) return damaged_index("cut off");
  if (!are_ascending_from_zero(index->segments, frames)) return damaged_index("wrong segments");
  return index;
} catch (const Json::exception&) {
  return damaged_index("its header is damaged");
}

}  // namespace weir::film
