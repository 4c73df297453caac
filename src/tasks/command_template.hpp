#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// The template of a command that runs once per item: its arguments with placeholders. {} is the item, {.} the item
/// without its extension, {/} the item's file name. {out} and {out}.EXTENSION are the paths of files that the command
/// writes. This class has no values for {variant} and {device}: run_guarded_command() replaces them after it has chosen
/// the variant (one of several ways to run the command) and the device.
class CommandTemplate {
 public:
  /// Parses the template. `has_variants`: the command has named variants, so that its arguments may contain {variant}.
  /// The file `{out}` has the item's name; `{out}.png` has the extension .png instead of the item's. Errors:
  /// invalid_argument for {variant} if `has_variants` is false, or a '/' directly after {out}.
  static Result<CommandTemplate> make(const std::vector<std::string>& arguments, bool has_variants);

  /// Returns the arguments for replace_placeholders(). In them, each {out} or {out}.EXTENSION is replaced by a
  /// placeholder with an internal name, for which placeholder_values() has the value.
  const std::vector<std::string>& arguments() const { return arguments_; }

  /// Returns the paths, below `folder`, of the files that the command writes for an item: one path for {out} and one
  /// for each EXTENSION. Empty if no argument contains {out}.
  std::vector<std::filesystem::path> output_paths(const std::filesystem::path& folder, const std::string& item) const;

  /// Returns the values of {}, {.}, {/} and the internal placeholders of arguments() for an item. `outputs`: the paths
  /// to which the command writes its files, in the order of output_paths(); they may be in another folder than
  /// output_paths() returns.
  PlaceholderValues placeholder_values(const std::string& item,
                                       const std::vector<std::filesystem::path>& outputs) const;

 private:
  std::vector<std::string> arguments_;
  std::vector<std::string> extensions_;  // the extensions after {out}, each once; an empty text for {out} alone
};

/// Converts the item's text to a relative path, with which the item's files are named in the output folder. First
/// normalizes the path ("a/../b" becomes "b"). Then a leading '/' is removed, each remaining ".." becomes "_up_", and a
/// path of which nothing is left becomes "_root_".
std::filesystem::path relative_output_path(const std::string& item);

}  // namespace weir::tasks
