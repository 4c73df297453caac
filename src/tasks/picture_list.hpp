#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// Which outputs the inputs become.
struct OutputOptions {
  std::string output;  ///< as the user wrote it: a file, a folder, "-" for standard output
  std::optional<media::Format>
      format;                    ///< wanted; empty: the output's extension, else the input's if lossless, else PNG
  bool format_required = false;  ///< a contradicting extension of the output is an error rather than stronger
  Bytes standard_input_limit;    ///< for reading "-"
  std::stop_token stop;          ///< ends the wait for it
  std::optional<std::filesystem::path>
      checkpoint_folder;  ///< where checkpoints are kept (empty path: beside the outputs); none: there are none
};

/// What folders hold and what is not taken from them, by reason.
struct SkippedEntries {
  std::size_t hidden_files = 0, hidden_folders = 0;  ///< without those that weir made itself
  std::size_t other_files = 0;                       ///< no picture by the extension
  std::size_t folder_links = 0;                      ///< links to folders: not followed
  std::size_t broken_links = 0;                      ///< links to nothing, or in a circle
  std::size_t special_files = 0;                     ///< pipes, sockets, devices
  std::size_t earlier_results = 0;                   ///< made by an earlier run, in the folder of the outputs
};

/// A picture whose output has a longer name, because the short one is another's.
struct RenamedOutput {
  std::filesystem::path input, output;
};

struct PictureList {
  std::vector<PictureItem> items;
  SkippedEntries skipped;
  std::vector<RenamedOutput> renamed;
};

/// Turns inputs (files, folders, patterns, "-") into items with their outputs. Folders are walked recursively, links to
/// folders are not followed, and the structure is kept below the output. The output is a folder if it exists as one,
/// ends in '/', or there are several inputs or a folder. An input that is not there becomes an item with a problem.
/// Outputs in a folder have the names that output_names() gives them. In the folder of the outputs itself, results of an
/// earlier run are not taken as inputs again. Reads standard input if it is named.
/// Errors: invalid_argument, before any work: an output that cannot be a folder, an extension or format that cannot be
/// written.
Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputOptions& options);

}  // namespace weir::tasks
