#include "cli/unknown_variables.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/closest_word.hpp"
#include "base/text.hpp"
#include "base/this_process.hpp"
#include "cli/flags.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view kPrefix = "WEIR_";

/// Returns the names, without the prefix WEIR_, of the variables that weir reads or sets.
std::vector<std::string> known_names() {
  std::vector<std::string> names{"LEASE", "LEASE_DIR", "VARIANT"};
  for (const Flag& flag : config_flags())
    if (!flag.setting_key.empty()) names.push_back(environment_name(flag.setting_key).substr(kPrefix.size()));
  return names;
}

}  // namespace

std::vector<std::string> find_unknown_variables() {
  const std::vector<std::string> names = known_names();
  const std::vector<std::string_view> known{names.begin(), names.end()};
  std::vector<std::string> lines;
  for (const std::string_view text : environment_entries()) {
    if (!text.starts_with(kPrefix)) continue;
    const std::string_view name = text.substr(kPrefix.size(), text.find('=') - kPrefix.size());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (const std::string_view near = closest_word(name, known); !near.empty())
      lines.push_back(fmt::format("{0}{1} is not read (did you mean '{0}{2}'?)", kPrefix, printable(name), near));
  }
  return lines;
}

}  // namespace weir::cli
