#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::tasks {

/// An input of a folder of outputs, as far as the name of its output depends on it.
struct NamingInput {
  std::filesystem::path path;           ///< of the input; "-" for standard input
  std::string identity;                 ///< identity(path); empty for standard input
  std::filesystem::path relative_path;  ///< where it goes below the folder of outputs, with the input's own name
  std::string output_extension;         ///< of the output, with its dot
  bool has_picture_extension =
      true;  ///< `below` ends in the extension of a picture, which the output's takes the place of
};

/// What an earlier run left at the place of an output.
enum class OutputOrigin { none, this_input, other_input };
/// Asks for it. `inputs` as given to output_names, `index` into it, `output` a place for its output.
using OutputOriginLookup = std::function<OutputOrigin(std::size_t index, const std::filesystem::path& output)>;

/// The outputs of several inputs in one folder. Each input has three names, and takes the first that it may have:
///
///   short   "cover.png" for cover.jpg: the input's name with the output's extension
///   full    "cover.jpg.png": the input's whole name, then the output's extension
///   hashed  "cover.jpg~0123456789abcdef.png": and a hash of where the input lies
///
/// 1. A name whose output was made from this very input by an earlier run (`earlier`) stays its own, whatever was added
///    or removed since.
/// 2. The short name, if no other input has the same short name, or this input is the only one of them that is called
///    so itself (cover.png beside cover.jpg).
/// 3. The full name, if it is neither a short nor a full name of another input.
/// 4. The hashed name.
///
/// 2 and 3 are passed over where an earlier run made that output from another input, or where another input lies there.
/// Names that differ in the case of ASCII letters alone count as equal: many file systems keep them as one file.
/// The order of the inputs has no influence. Two inputs of one `path` and one `below` are the caller's to take out.
std::vector<std::filesystem::path> choose_output_names(std::span<const NamingInput> inputs,
                                                       const std::filesystem::path& folder,
                                                       const OutputOriginLookup& find_origin);

/// The short name in `folder`.
std::filesystem::path short_output_name(const NamingInput& input, const std::filesystem::path& folder);

}  // namespace weir::tasks
