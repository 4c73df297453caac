#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// Looks up an environment variable; empty variables count as absent. Passed in, so that tests can invent one.
using Environment = std::function<std::optional<std::string>(const char* name)>;
Environment process_environment();

/// The user's folder for settings: $XDG_CONFIG_HOME or ~/.config, and below it weir/. Empty if neither is known. Here and below
/// a relative path counts as none.
/// Source  XDG Base Directory Specification 0.8
std::filesystem::path user_settings_folder(const Environment& environment);

/// The user's folder for what programs remember: $XDG_STATE_HOME or ~/.local/state, and below it weir/. Empty if neither is
/// known.
std::filesystem::path user_state_folder(const Environment& environment);

/// The user's folder for what can be made again: $XDG_CACHE_HOME or ~/.cache, and below it weir/. Empty if neither is known.
std::filesystem::path user_cache_folder(const Environment& environment);

/// Files and folders that match a shell pattern, sorted by bytes; none if nothing matches.
std::vector<std::filesystem::path> expand_pattern(const std::string& pattern);
bool has_wildcard(std::string_view text);  ///< contains *, ? or [

/// `stem` + `extension` as a file name of at most `limit` bytes: a longer one keeps the start of the stem, cut between
/// characters, and a hash of the whole stem, so that two long names stay apart.
std::string fit_file_name(const std::string& stem, const std::string& extension, std::size_t limit = 255);

/// One text for one file: absolute, links followed as far as they exist. Never fails.
std::string file_identity(const std::filesystem::path& path);

}  // namespace weir
