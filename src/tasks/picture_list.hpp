#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// Which outputs the inputs become.
struct OutputRule {
  std::string output;  ///< as the user wrote it: a file, a folder, "-" for standard output
  std::optional<media::Format>
      format;                    ///< wanted; empty: the output's extension, else the input's if lossless, else PNG
  bool format_demanded = false;  ///< a contradicting extension of the output is an error rather than stronger
  Bytes standard_input_limit;    ///< for reading "-"
  std::stop_token stop;          ///< ends the wait for it
};

struct PictureList {
  std::vector<PictureItem> items;
  std::size_t skipped = 0;  ///< files in folders that are no pictures by their extension, or hidden
};

/// Turns inputs (files, folders, patterns, "-") into items with their outputs. Folders are walked recursively, links to
/// folders are not followed, and the structure is kept below the output. The output is a folder if it exists as one,
/// ends in '/', or there are several inputs or a folder. An input that is not there becomes an item with a problem.
/// Reads standard input if it is named. Errors: invalid_argument, before any work: two inputs for one output, an output
/// that would replace another input, an extension or format that cannot be written.
Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputRule& rule);

}  // namespace weir::tasks
