#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// What is known of a picture as one JSON object in one line, with its newline. Names that are not UTF-8 get replacement
/// characters.
std::string picture_json(const PictureItem& item, const PictureResult& result);

/// What of the input was not there, in one line; empty if it was whole.
std::string damage_text(const PictureResult& result);
/// "lost alpha (jpg has none; flattened onto white); frames (the first of 3)": all of WriteReport::lost in one line.
std::string lost_text(const std::vector<std::string>& lost);

/// What one entry of WriteReport::lost is about, for counts over many pictures: "frames", "alpha"; "text" for each text.
std::string lost_kind(std::string_view entry);

}  // namespace weir::tasks
