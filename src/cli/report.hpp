#pragma once

#include <string>

#include "tasks/picture_task.hpp"

namespace weir::cli {

/// One JSON object in one line, with its newline. Names that are not UTF-8 get replacement characters.
std::string picture_json(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome);

/// The plan for people: several lines, each with its newline.
std::string plan_text(const tasks::PictureItem& item, const tasks::PictureOutcome& outcome);

/// "page.png: truncated at row 512": the reason why an item failed, with the input's name, in one line.
std::string failure_text(const tasks::PictureItem& item, const Error& error);

/// A path as it stands in messages and JSON: "-" for the standard streams.
std::string shown(const std::filesystem::path& path);

}  // namespace weir::cli
