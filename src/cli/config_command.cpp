// `weir config`: prints the settings and the source of each.

#include <algorithm>

#include <fmt/format.h>

#include "cli/command.hpp"

namespace weir::cli {
namespace {

/// Returns true if TOML writes the value without quotes: a number, true or false.
bool is_bare(const std::string& text) {
  const bool number = !text.empty() && text.find_first_not_of("0123456789.-") == std::string::npos;
  return number || text == "true" || text == "false";
}

/// Returns the value as written in weir.toml. TOML 1.0 requires escapes for control characters, quotes and backslashes.
std::string toml_value(const std::string& text) {
  if (is_bare(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      quoted += c;
  }
  return quoted + '"';
}

}  // namespace

ExitResult run_config(const Invocation& invocation) {
  std::string text;
  for (const Setting& setting : invocation.settings.effective) {
    const bool unset = setting.text.empty() && setting.origin == "default";
    const std::string assignment =
        fmt::format("{}{} = {}", unset ? "# " : "", setting.flag->setting_key, toml_value(setting.text));
    text += fmt::format("{:<32}  # {}\n", assignment, setting.origin);
  }
  return print(text);
}

}  // namespace weir::cli
