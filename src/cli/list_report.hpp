#pragma once

#include "observe/log.hpp"
#include "tasks/picture_list.hpp"

namespace weir::cli {

/// What a list of pictures leaves out and why, in one line, and which outputs have longer names, in another. Nothing if
/// there is nothing to tell.
void report_list(const tasks::PictureList& list, observe::Log& log);

}  // namespace weir::cli
