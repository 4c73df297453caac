#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
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

/// Numbers of entries of input folders that are not used as inputs, one number for each reason.
struct SkippedEntries {
  std::size_t hidden_files = 0, hidden_folders = 0;  ///< without the hidden files and folders that weir makes
  std::size_t other_files = 0;                       ///< files without a picture extension
  std::size_t folder_links = 0;                      ///< links to folders; they are not followed
  std::size_t broken_links = 0;                      ///< links to missing files, and circular links
  std::size_t special_files = 0;                     ///< pipes, sockets, devices
  std::size_t earlier_results = 0;                   ///< outputs that earlier runs made in the output folder
};

/// A picture whose output has a longer name than its short name (short_output_name()), for example because another
/// picture has the short name or because an earlier run chose the longer name (see choose_output_names()).
struct RenamedOutput {
  std::filesystem::path input, output;
};

/// The result of list_pictures().
struct PictureList {
  std::vector<PictureItem> items;
  SkippedEntries skipped;
  std::vector<RenamedOutput> renamed;
};

/// Makes the list of pictures for the inputs that the user gave: files, folders, patterns such as "*.png", and "-" for
/// standard input, which this function reads. Folders are read recursively, but links to folders are not followed. An
/// input that is missing or cannot be used becomes an item with a problem.
///
/// The output is a folder in each of these cases: it exists as a folder; it ends in '/'; there are several inputs (a
/// pattern may match several files); an input is a folder. Then the folder structure of the inputs is kept below the
/// output folder, and choose_output_names() chooses the names. An output folder below an input folder is not read, and
/// if an input folder is the output folder or a folder in it, results of earlier runs are not used as inputs.
/// Errors: invalid_argument: an output that must be a folder and cannot be one, an extension or format that cannot be
/// written, "-" given twice, an empty input name.
Result<PictureList> list_pictures(const std::vector<std::string>& inputs, const OutputOptions& options);

}  // namespace weir::tasks
