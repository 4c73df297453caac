#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::tasks {

/// A kind of input files: pictures or films.
struct FileKind {
  const char* task;       ///< name of the task kind (jobs::Item::task) that makes their outputs
  std::string_view noun;  ///< "picture", for messages
  /// Returns true for the extensions of such files, with or without their dot.
  bool (*has_extension)(std::string_view extension);
};

/// Numbers of entries of input folders that are not used as inputs, one number for each reason.
struct SkippedEntries {
  std::size_t hidden_files = 0, hidden_folders = 0;  ///< without the hidden files and folders that weir makes
  std::size_t other_files = 0;                       ///< files without an extension of their kind
  std::size_t folder_links = 0;                      ///< links to folders; they are not followed
  std::size_t broken_links = 0;                      ///< links to missing files, and circular links
  std::size_t special_files = 0;                     ///< pipes, sockets, devices
  std::size_t earlier_results = 0;                   ///< outputs that earlier runs made in the output folder
};

/// An input file and its path below the output folder.
struct FoundInput {
  std::filesystem::path path;           ///< "-" for standard input
  std::filesystem::path relative_path;  ///< path below the output folder, with the input's own file name
  std::string identity;                 ///< file_identity(path); empty for standard input and an input with a problem
  bool is_standard_input = false;
  std::optional<Error> problem = {};  ///< why it cannot be used
};

/// An input whose output has a longer name than its short name (short_output_name()), for example because another
/// input has the short name or because an earlier run chose the longer name (see choose_output_names()).
struct RenamedOutput {
  std::filesystem::path input, output;
};

/// The inputs of a run.
struct FoundInputs {
  std::vector<FoundInput> files;
  SkippedEntries skipped;
  bool writes_to_folder = false;  ///< the output is, or will be created as, a folder
};

/// Where the outputs are written.
struct OutputPlace {
  std::string output;  ///< as the user wrote it: a file, a folder, or "-" for standard output
  /// Folder of the checkpoints (jobs::Record), files in which earlier runs recorded how they made each output. Empty
  /// path: beside the outputs; nullopt: no checkpoints are read.
  std::optional<std::filesystem::path> checkpoint_folder;
};

/// Finds the files of the inputs that the user gave: files, folders, patterns such as "*.png", and "-" for standard
/// input, which this function does not read. Folders are read recursively, but links to folders are not followed. An input
/// that is missing or cannot be used has a problem. A file that was found twice at the same relative path is there once.
///
/// The output is a folder in each of these cases: it exists as a folder; it ends in '/'; there are several inputs (a
/// pattern may match several files); an input is a folder. An output folder below an input folder is not read, and if an
/// input folder is the output folder or a folder in it, results of earlier runs are not used as inputs.
/// Errors: invalid_argument: an output that must be a folder and cannot be one, "-" given twice, an empty input name.
Result<FoundInputs> find_inputs(const std::vector<std::string>& inputs, const FileKind& kind, const OutputPlace& place);

/// The path of an output in the output folder.
struct OutputName {
  std::filesystem::path path;
  bool is_renamed = false;  ///< it is not the short name (choose_output_names()) of the input
};
/// Chooses the path of the output of each file in the output folder by choose_output_names(). `extensions`: the extension
/// of each output, with its dot. Files with a problem get their short name.
std::vector<OutputName> name_outputs(const std::vector<FoundInput>& files, const std::vector<std::string>& extensions,
                                     const FileKind& kind, const OutputPlace& place);

/// Returns why a file cannot be written at this path: something exists there that is no file. Empty: it can be.
std::optional<Error> find_output_problem(const std::filesystem::path& output);

}  // namespace weir::tasks
