#include "base/paths.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <system_error>

#include <fmt/format.h>
#include <glob.h>
#include <xxhash.h>

namespace weir {

namespace fs = std::filesystem;

Environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string{value};
  };
}

namespace {

/// Returns "weir" in the folder that `variable` names, or else in `below_home` of the home folder; empty if neither is
/// an absolute path.
fs::path user_folder(const Environment& environment, const char* variable, const char* below_home) {
  const auto absolute = [&](const char* name) {
    const fs::path path = environment(name).value_or("");
    return path.is_absolute() ? path : fs::path{};
  };
  if (const fs::path folder = absolute(variable); !folder.empty()) return folder / "weir";
  if (const fs::path home = absolute("HOME"); !home.empty()) return home / below_home / "weir";
  return {};
}

}  // namespace

fs::path user_settings_folder(const Environment& environment) {
  return user_folder(environment, "XDG_CONFIG_HOME", ".config");
}

fs::path user_state_folder(const Environment& environment) {
  return user_folder(environment, "XDG_STATE_HOME", ".local/state");
}

fs::path user_cache_folder(const Environment& environment) {
  return user_folder(environment, "XDG_CACHE_HOME", ".cache");
}

bool has_wildcard(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

std::vector<fs::path> expand_pattern(const std::string& pattern) {
  glob_t found{};
  const std::unique_ptr<glob_t, void (*)(glob_t*)> release{&found, globfree};
  std::vector<fs::path> paths;
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) != 0) return paths;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return paths;
}

std::string fit_file_name(const std::string& stem, const std::string& extension, std::size_t limit) {
  if (stem.size() + extension.size() <= limit) return stem + extension;
  const std::string hash_suffix = fmt::format("~{:016x}", XXH3_64bits(stem.data(), stem.size()));
  const std::size_t suffix_bytes = hash_suffix.size() + extension.size();
  std::size_t kept_bytes = limit > suffix_bytes ? limit - suffix_bytes : 0;
  // do not cut inside a UTF-8 character
  while (kept_bytes > 0 && (static_cast<unsigned char>(stem[kept_bytes]) & 0xC0) == 0x80) --kept_bytes;
  return stem.substr(0, kept_bytes) + hash_suffix + extension;
}

std::string file_identity(const fs::path& path) {
  std::error_code problem;
  const fs::path canonical = fs::weakly_canonical(path, problem);
  if (!problem && canonical.is_absolute()) return canonical.native();
  const fs::path absolute = fs::absolute(canonical.empty() ? path : canonical, problem);
  return (problem ? path : absolute).lexically_normal().native();
}

}  // namespace weir
