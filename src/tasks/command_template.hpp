#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tasks/guarded_command.hpp"

namespace weir::tasks {

/// The template of a command for many items: which files it makes, and what stands for its names.
class CommandTemplate {
 public:
  /// `{out}` is a file named like the item; `{out}.png` one whose ending is replaced. Variants must be there for {variant}.
  /// Errors: invalid_argument: {variant} without variants, something behind {out} that cannot end a name.
  static Result<CommandTemplate> make(const std::vector<std::string>& arguments, bool has_variants);

  const std::vector<std::string>& arguments() const { return arguments_; }  ///< for replace_names

  /// The files that the command makes for an item, below a folder; none if no word says {out}.
  std::vector<std::filesystem::path> output_paths(const std::filesystem::path& folder, const std::string& item) const;

  /// What stands for {}, {.}, {/} and {out} when the files are made as the given paths, in the order of outputs().
  PlaceholderValues placeholder_values(const std::string& item,
                                       const std::vector<std::filesystem::path>& outputs) const;

 private:
  std::vector<std::string> arguments_;
  std::vector<std::string> extensions_;  // behind {out}; empty: the item's own
};

/// Where the files of an item lie below the folder of a run: the item as a relative path, so that the structure of
/// folders is kept; a root goes away and ".." becomes a name of its own.
std::filesystem::path relative_output_path(const std::string& item);

}  // namespace weir::tasks
