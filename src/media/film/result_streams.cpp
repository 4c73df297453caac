#include "media/film/result_streams.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/film/film_files.hpp"
#include "media/film/stream_side_data.hpp"

namespace weir::film {
namespace {

/// Flags that containers store and FFmpeg can read again. An attached picture is part of the plan.
constexpr std::array kDispositions{AV_DISPOSITION_DEFAULT,          AV_DISPOSITION_DUB,
                                   AV_DISPOSITION_ORIGINAL,         AV_DISPOSITION_COMMENT,
                                   AV_DISPOSITION_LYRICS,           AV_DISPOSITION_FORCED,
                                   AV_DISPOSITION_HEARING_IMPAIRED, AV_DISPOSITION_VISUAL_IMPAIRED,
                                   AV_DISPOSITION_CAPTIONS,         AV_DISPOSITION_DESCRIPTIONS};

bool is_file(const AVStream& stream) { return stream.codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT; }
bool is_cover(const AVStream& stream) { return (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0; }

/// Returns the place of a planned stream among those of its kind in the result.
int rank_of(const StreamPlan& plan, const PlannedStream& planned) {
  return static_cast<int>(std::count_if(plan.streams.begin(), plan.streams.end(), [&](const PlannedStream& other) {
    return other.kind == planned.kind && other.target && *other.target < *planned.target;
  }));
}

/// Returns the n-th stream with a property.
template <class Property>
const AVStream* nth_stream(const AVFormatContext& result, int rank, Property has_property) {
  for (unsigned i = 0; i < result.nb_streams; ++i)
    if (has_property(*result.streams[i]) && rank-- == 0) return result.streams[i];
  return nullptr;
}

/// Languages are absent or "und" if they are not known.
std::string language_of(const AVStream& stream) {
  std::string language = tag_of(stream.metadata, "language");
  return language == "und" ? std::string{} : language;
}

/// Containers without titles of streams may store them as the name of the handler.
bool has_title(const AVStream& stream, const std::string& title) {
  return tag_of(stream.metadata, "title") == title || tag_of(stream.metadata, "handler_name") == title;
}

void compare_streams(const AVStream& source, const AVStream& result, std::vector<std::string>& lost) {
  const std::string language = language_of(source);
  if (!language.empty() && language_of(result) != language)
    lost.push_back(fmt::format("the language of stream {} ({})", source.index, printable(language)));
  const std::string title = tag_of(source.metadata, "title");
  if (!title.empty() && !has_title(result, title))
    lost.push_back(fmt::format("the title of stream {} ({})", source.index, printable(title)));
  for (const int disposition : kDispositions) {
    if ((source.disposition & disposition) == 0 || (result.disposition & disposition) != 0) continue;
    lost.push_back(fmt::format("the mark '{}' of stream {}", av_disposition_to_string(disposition), source.index));
  }
}

/// Unspecified tags were not requested.
template <class Tag>
void compare_colour(const char* name, Tag requested, Tag written, Tag unspecified, std::vector<std::string>& lost) {
  if (requested != unspecified && requested != written)
    lost.push_back(fmt::format("the colour tag '{}' (players will guess it)", name));
}

/// Names what the container of the source says of the film and the result does not repeat. The properties in
/// DisplayProperties are compared by their values.
void compare_side_data(const AVStream& source, const AVStream& film, std::vector<std::string>& lost) {
  constexpr std::array kCompared{AV_PKT_DATA_DISPLAYMATRIX, AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
                                 AV_PKT_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_CPB_PROPERTIES};
  for (const AVPacketSideDataType type : side_data_types(source)) {
    if (std::find(kCompared.begin(), kCompared.end(), type) != kCompared.end()) continue;
    const char* name = av_packet_side_data_name(type);
    if (find_side_data(film, type) == nullptr)
      lost.push_back(fmt::format("the film's data of the kind '{}'", name == nullptr ? "unknown" : name));
  }
}

void compare_display(const DisplayProperties& display, bool with_orientation, const AVStream& film,
                     std::vector<std::string>& lost) {
  const AVCodecParameters& written = *film.codecpar;
  const ColourTags& colour = display.colour;
  compare_colour("matrix", colour.matrix, written.color_space, AVCOL_SPC_UNSPECIFIED, lost);
  compare_colour("primaries", colour.primaries, written.color_primaries, AVCOL_PRI_UNSPECIFIED, lost);
  compare_colour("transfer", colour.transfer, written.color_trc, AVCOL_TRC_UNSPECIFIED, lost);
  compare_colour("range", colour.range, written.color_range, AVCOL_RANGE_UNSPECIFIED, lost);
  const AVRational aspect{display.sample_aspect.numerator, display.sample_aspect.denominator};
  const AVRational shown = film.sample_aspect_ratio.num > 0 ? film.sample_aspect_ratio : AVRational{1, 1};
  if (aspect.num > 0 && av_cmp_q(aspect, shown) != 0)
    lost.push_back(fmt::format("the aspect {}:{} of pixels", aspect.num, aspect.den));
  if (with_orientation && orientation_of(film) != display.orientation) lost.emplace_back("the orientation");
  if (display.hdr.mastering_display && find_side_data(film, AV_PKT_DATA_MASTERING_DISPLAY_METADATA) == nullptr)
    lost.emplace_back("the HDR10 data of the mastering display, in the container");
  if (display.hdr.content_light && find_side_data(film, AV_PKT_DATA_CONTENT_LIGHT_LEVEL) == nullptr)
    lost.emplace_back("the HDR10 data of the brightness, in the container");
}

}  // namespace

bool has_chapter(const std::optional<TimeWindow>& window, const AVChapter& chapter) {
  if (!window) return true;
  const bool is_before = av_compare_ts(chapter.end, chapter.time_base, window->begin, window->unit) <= 0;
  const bool is_after = window->end && av_compare_ts(chapter.start, chapter.time_base, *window->end, window->unit) >= 0;
  return !is_before && !is_after;
}

bool is_tag_of_file(const std::string& name) {
  constexpr std::array<std::string_view, 4> kNames{"major_brand", "minor_version", "compatible_brands", "encoder"};
  return std::find(kNames.begin(), kNames.end(), lower_case(name)) != kNames.end();
}

bool is_tag_of_encoding(const std::string& name) {
  constexpr std::array<std::string_view, 7> kNames{"encoder",          "encoder_options", "vendor_id", "bps",
                                                   "number_of_frames", "number_of_bytes", "source_id"};
  const std::string lower = lower_case(name);
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end() || lower.starts_with("_statistics") ||
         lower.starts_with("bps-") || lower.starts_with("number_of_");
}

const AVStream* find_result_stream(const AVFormatContext& result, const StreamPlan& plan,
                                   const PlannedStream& planned) {
  if (!planned.target) return nullptr;
  if (planned.kind == StreamKind::attachment) return nth_stream(result, rank_of(plan, planned), is_file);
  if (planned.kind == StreamKind::cover) return nth_stream(result, rank_of(plan, planned), is_cover);
  return *planned.target < static_cast<int>(result.nb_streams) ? result.streams[*planned.target] : nullptr;
}

std::vector<std::string> find_lost_properties(const AVFormatContext& source, const AVFormatContext& result,
                                              const StreamPlan& plan, const DisplayProperties& display,
                                              const std::optional<TimeWindow>& window) {
  std::vector<std::string> lost;
  const AVDictionaryEntry* tag = nullptr;
  while ((tag = av_dict_get(source.metadata, "", tag, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    if (is_tag_of_file(tag->key) || av_dict_get(result.metadata, tag->key, nullptr, 0) != nullptr) continue;
    lost.push_back(fmt::format("the tag {}", printable(tag->key)));
  }
  for (const PlannedStream& planned : plan.streams) {
    if (!planned.target) continue;
    const AVStream* written = find_result_stream(result, plan, planned);
    if (written == nullptr)
      lost.push_back(fmt::format("stream {} ({}) is not in the result", planned.source, name_of(planned.kind)));
    else if (planned.kind != StreamKind::cover && planned.kind != StreamKind::attachment)
      compare_streams(*source.streams[planned.source], *written, lost);
  }
  if (const AVStream* film = find_result_stream(result, plan, plan.video()); film != nullptr) {
    compare_side_data(*source.streams[plan.video_stream], *film, lost);
    compare_display(display, row_of(plan.container).has_display_matrix, *film, lost);
  }
  unsigned chapters = 0;
  for (unsigned i = 0; i < source.nb_chapters; ++i)
    if (has_chapter(window, *source.chapters[i])) ++chapters;
  if (result.nb_chapters < chapters)
    lost.push_back(fmt::format("{} of {} chapters", chapters - result.nb_chapters, chapters));
  return lost;
}

}  // namespace weir::film
