#pragma once

#include "observe/log.hpp"
#include "tasks/picture_list.hpp"

namespace weir::cli {

/// Logs two lines about the list: the numbers of skipped entries of folders, by reason; and the first output that does
/// not have its short name (PictureList::renamed), with the number of the others. Does not log a line that would report
/// nothing.
void report_list(const tasks::PictureList& list, observe::Log& log);

}  // namespace weir::cli
