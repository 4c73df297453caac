#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// A function that returns the value of an environment variable; an empty variable counts as missing. Functions take it
/// as a parameter so that tests can supply their own variables.
using Environment = std::function<std::optional<std::string>(const char* name)>;
/// Returns the function that looks up the environment of this process.
Environment process_environment();

/// Returns the user's folder for settings: "weir" in $XDG_CONFIG_HOME or ~/.config. Returns an empty path if neither is
/// known. Here and below, a variable whose value is a relative path counts as missing.
/// Source  XDG Base Directory Specification 0.8
std::filesystem::path user_settings_folder(const Environment& environment);

/// Returns the user's folder for persistent state: "weir" in $XDG_STATE_HOME or ~/.local/state. Returns an empty path
/// if neither is known.
std::filesystem::path user_state_folder(const Environment& environment);

/// Returns the user's folder for caches: "weir" in $XDG_CACHE_HOME or ~/.cache. Returns an empty path if neither is
/// known.
std::filesystem::path user_cache_folder(const Environment& environment);

/// Returns the files and folders that match a shell pattern, sorted by bytes; empty if nothing matches.
std::vector<std::filesystem::path> expand_pattern(const std::string& pattern);
bool has_wildcard(std::string_view text);  ///< Returns whether `text` contains *, ? or [.

/// Returns `stem` + `extension` as a file name of at most `limit` bytes. If that is too long, the stem is replaced by
/// its start, cut at a character boundary, and a hash of the whole stem, so that two long names stay different. `limit`
/// must leave room for `extension` and the 17 characters of the hash.
std::string fit_file_name(const std::string& stem, const std::string& extension, std::size_t limit = 255);

/// Returns the absolute path with symbolic links resolved as far as they exist, so that all paths of one file give the
/// same text (except hard links). Never fails.
std::string file_identity(const std::filesystem::path& path);

}  // namespace weir
