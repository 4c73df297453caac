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

/// One setting after all layers are applied.
struct Setting {
  const Flag* flag = nullptr;
  std::string text;    ///< value as text; empty if the setting is not set and has no default
  std::string origin;  ///< where the value was set: "--scale", "WEIR_SCALE", "weir.toml:3", "default"
};

/// The result of resolve_settings().
struct Settings {
  Arguments args;
  std::vector<Setting> effective;  ///< one entry per flag with a setting key, in the order of the command's flags
  /// Warnings about values in files and variables that have no effect, because for this command they are not settings
  /// but only flags.
  std::vector<std::string> ignored_value_warnings;
};

/// Determines the value of each flag from these layers; a later layer overrides an earlier one:
/// 1. defaults,
/// 2. `files` in their order; within a file, if the user chose a role by --role or WEIR_ROLE, the table [roles.NAME]
///    with the role's name overrides the settings outside of the tables of roles,
/// 3. WEIR_* variables in `environment`,
/// 4. the command line.
///
/// A missing file is no error. Every value is checked, even if a later layer replaces it. Errors: invalid_argument for
/// a wrong value, for a file that cannot be read or is wrong, and for a role that no file has.
Result<Settings> resolve_settings(std::span<const Flag> flags, const CommandLine& line, const Environment& environment,
                                  const std::vector<std::filesystem::path>& files);

/// Returns the paths of the settings files, which may be missing: the user's file, then weir.toml of the current
/// folder.
std::vector<std::filesystem::path> settings_files(const Environment& environment);

/// One value of a settings file.
struct FileSetting {
  std::string key, text, origin;  ///< name and value of the setting; file and line, such as "weir.toml:3"
  std::string role = {};          ///< role of a value in [roles.NAME]; empty: the value is outside of these tables
};
/// Reads the values of one file; returns an empty list if the file does not exist. Errors: invalid_argument if the file
/// cannot be read or its content is wrong; in the second case the message names file and line.
Result<std::vector<FileSetting>> read_settings_file(const std::filesystem::path& path);

}  // namespace weir::cli
