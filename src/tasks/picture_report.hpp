#pragma once

#include <string>

#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// What is known of a picture as one JSON object in one line, with its newline. Names that are not UTF-8 get replacement
/// characters.
std::string picture_json(const PictureItem& item, const PictureOutcome& outcome);

/// What of the input was not there, in one line; empty if it was whole.
std::string damage_text(const PictureOutcome& outcome);

}  // namespace weir::tasks
