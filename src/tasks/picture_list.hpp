#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tasks/input_files.hpp"
#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// Where the outputs are written, and in which format.
struct OutputOptions {
  std::string output;  ///< as the user wrote it: a file, a folder, or "-" for standard output
  /// Requested format. Empty: the format of the output's extension, else the input's format if it is lossless, else
  /// PNG.
  std::optional<media::Format> format;
  /// Matters if the extension of a single output file contradicts `format`. True: this is an error; false: the
  /// extension decides.
  bool format_required = false;
  Bytes standard_input_limit;  ///< largest picture file that is read from "-"
  std::stop_token stop;        ///< a stop ends the wait for standard input
  /// Folder of the checkpoints (jobs::Record), files in which earlier runs recorded how they made each output. Empty
  /// path: beside the outputs; nullopt: no checkpoints are read.
  std::optional<std::filesystem::path> checkpoint_folder;
};

/// The result of list_pictures().
struct PictureList {
  std::vector<PictureItem> items;
  SkippedEntries skipped;
  std::vector<RenamedOutput> renamed;
};

/// Makes the list of pictures for the inputs that the user gave, as find_inputs() describes it; reads standard input.
/// Errors: those of find_inputs(); invalid_argument: an extension or format that cannot be written.
Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputOptions& options);

}  // namespace weir::tasks
