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
  static Result<CommandTemplate> make(const std::vector<std::string>& words, bool has_variants);

  const std::vector<std::string>& words() const { return words_; }  ///< for replace_names

  /// The files that the command makes for an item, below a folder; none if no word says {out}.
  std::vector<std::filesystem::path> outputs(const std::filesystem::path& folder, const std::string& item) const;

  /// What stands for {}, {.}, {/} and {out} when the files are made as the given paths, in the order of outputs().
  Names names(const std::string& item, const std::vector<std::filesystem::path>& made) const;

 private:
  std::vector<std::string> words_;
  std::vector<std::string> endings_;  // behind {out}; empty: the item's own
};

/// Where the files of an item lie below the folder of a run: the item as a relative path, so that the structure of
/// folders is kept; a root goes away and ".." becomes a name of its own.
std::filesystem::path place_of(const std::string& item);

}  // namespace weir::tasks
