#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/film/ffmpeg.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/times.hpp"

namespace weir::film {

/// Finds the stream of a written file that holds a planned stream; null if there is none. Covers and attachments are
/// found by their order, because demuxers list them at different places.
const AVStream* find_result_stream(const AVFormatContext& result, const StreamPlan& plan, const PlannedStream& planned);

/// Returns what a written file lacks of the properties of its source: tags, languages, titles, dispositions, chapters;
/// and of `display`, which was requested for the film. `window`: the part of the source that the file has. One line
/// each, for people.
std::vector<std::string> find_lost_properties(const AVFormatContext& source, const AVFormatContext& result,
                                              const StreamPlan& plan, const DisplayProperties& display,
                                              const std::optional<TimeWindow>& window);

/// Returns whether a part of a source shows a chapter.
bool has_chapter(const std::optional<TimeWindow>& window, const AVChapter& chapter);

/// Returns whether a tag of the source describes its file or its encoding, and so is not true for the result.
bool is_tag_of_file(const std::string& name);
/// Returns whether a tag of the film's own stream describes its encoding.
bool is_tag_of_encoding(const std::string& name);

}  // namespace weir::film
