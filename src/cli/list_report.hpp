#pragma once

#include <string_view>
#include <vector>

#include "observe/log.hpp"
#include "tasks/input_files.hpp"

namespace weir::cli {

/// Logs two lines about the files of a run: the numbers of skipped entries of folders, by reason; and the first output
/// that does not have its short name, with the number of the others. `noun`: what an input is, such as "picture". Does not
/// log a line that would report nothing.
void report_list(const tasks::SkippedEntries& skipped_entries, const std::vector<tasks::RenamedOutput>& renamed,
                 std::string_view noun, observe::Log& log);

}  // namespace weir::cli
