#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// Returns the item and its result as one line of JSON, with its newline. Invalid UTF-8 in names becomes replacement
/// characters.
std::string picture_json(const PictureItem& item, const PictureResult& result);

/// Returns a one-line description of the missing parts of a damaged input; empty if the input was complete.
std::string damage_text(const PictureResult& result);
/// Returns all entries of WriteReport::lost (data of the input that the output format cannot store) in one line, such
/// as "lost alpha (jpg has none; flattened onto white); frames (the first of 3)".
std::string lost_text(const std::vector<std::string>& lost);

/// Returns the kind of the lost data that one entry of WriteReport::lost describes, for counts over many pictures:
/// "alpha" for "alpha (jpg has none)", "text" for "text Title".
std::string lost_kind(std::string_view entry);

}  // namespace weir::tasks
