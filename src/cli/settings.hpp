#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/paths.hpp"
#include "base/result.hpp"
#include "cli/command_line.hpp"
#include "cli/flags.hpp"

namespace weir::cli {

/// One setting as it stands after all layers.
struct Setting {
  const Flag* flag = nullptr;
  std::string text;    ///< empty if nobody set it and it has no default
  std::string origin;  ///< "--scale", "WEIR_SCALE", "weir.toml:3", "default"
};

struct Settings {
  Arguments args;
  std::vector<Setting> effective;  ///< one for every row with a setting, in the order of the table
  std::vector<std::string>
      ignored_value_warnings;  ///< what a file or variable sets that this command takes from its flags alone
};

/// Applies the layers, weakest first: defaults, `files` in their order, WEIR_* variables, the command line. Within a file
/// the table of the role that --role or WEIR_ROLE names goes over the rest. A file that is not there is no error. Every value is checked, also one that a stronger layer replaces.
/// Errors: invalid_argument naming the origin: "weir.toml:3: unknown setting 'scael'", "WEIR_RAM: 'x' is not a size".
Result<Settings> resolve_settings(std::span<const Flag> flags, const CommandLine& line, const Environment& environment,
                                  const std::vector<std::filesystem::path>& files);

/// The user's file, then weir.toml of the current folder.
std::vector<std::filesystem::path> settings_files(const Environment& environment);

/// What one file sets. Errors: invalid_argument with file and line; io.
struct FileSetting {
  std::string key, text, origin;
  std::string role = {};  ///< of a table [roles.NAME]; empty: for all
};
Result<std::vector<FileSetting>> read_settings_file(const std::filesystem::path& path);

}  // namespace weir::cli
