#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::tasks {

/// An input, with the values that decide the name of its output in the output folder.
struct NamingInput {
  std::filesystem::path path;           ///< path of the input; "-" for standard input
  std::string identity;                 ///< file_identity(path); empty for standard input
  std::filesystem::path relative_path;  ///< path below the output folder, with the input's own file name
  std::string output_extension;         ///< extension of the output, with its dot
  /// `relative_path` ends in an extension of its kind of files, which the output's extension replaces.
  bool has_own_extension = true;
};

/// The input from which an earlier run made an existing output.
enum class OutputOrigin {
  /// The origin is not known, or it is a file from which this_input was probably moved or copied. In both cases
  /// this_input may get the name of the output.
  none,
  this_input,  ///< the input with the index that was given to the OutputOriginLookup
  other_input  ///< another input than this_input
};
/// Returns from which input an earlier run made the file `output`. `index`: index in the `inputs` of
/// choose_output_names() of the input that counts as this_input.
using OutputOriginLookup = std::function<OutputOrigin(std::size_t index, const std::filesystem::path& output)>;

/// Chooses the outputs of several inputs in one folder. Each input has three possible names, here those of cover.jpg:
/// - short name "cover.png": the input's file name with the output's extension instead of its own,
/// - full name "cover.jpg.png": the input's whole file name, then the output's extension,
/// - hashed name "cover.jpg~0123456789abcdef.png": the whole file name, a hash of the input's location, the extension.
///
/// The input gets the first name that these rules allow:
/// 1. A name under which an earlier run made an output from this input (`find_origin` returns this_input), even if
/// other inputs were added or removed since. Of several such names, the one that rules 2 to 4 would give is preferred.
/// 2. The short name, if no other input has the same short name. If several inputs have it, the only one of them whose
/// own file name equals the short name gets it (cover.png, if cover.jpg is an input too).
/// 3. The full name, if it is neither the short nor the full name of another input.
/// 4. The hashed name.
///
/// Rules 2 and 3 skip a name if an earlier run made that output from another input, if an earlier input got the same
/// path by rule 1, or if the path is that of another input. In rules 2 and 3, names that differ only in the case of
/// ASCII letters count as equal, because many file systems store them as one file. The order of the inputs has no
/// influence. The caller must remove duplicate inputs (same `path` and `relative_path`).
std::vector<std::filesystem::path> choose_output_names(std::span<const NamingInput> inputs,
                                                       const std::filesystem::path& folder,
                                                       const OutputOriginLookup& find_origin);

/// Returns the path of the output below `folder` that has the input's short name (see choose_output_names()).
std::filesystem::path short_output_name(const NamingInput& input, const std::filesystem::path& folder);

}  // namespace weir::tasks
