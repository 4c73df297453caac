// Reads settings files (weir.toml).

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/atomic_file.hpp"
#include "base/closest_word.hpp"
#include "base/text.hpp"
#include "cli/settings.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

Error error_at_line(const fs::path& path, const toml::source_region& where, const std::string& what) {
  return {Errc::invalid_argument, fmt::format("{}:{}: {}", printable(path.native()), where.begin.line, what)};
}

bool is_known_setting(std::string_view key) {
  const auto flags = config_flags();
  return std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.setting_key == key; });
}

/// Returns true if the value of the setting is a list of device patterns.
bool is_pattern_setting(std::string_view key) {
  const auto flags = config_flags();
  return std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) {
    return flag.setting_key == key && flag.value_name.starts_with("PATTERN");
  });
}

/// Returns true if `name`, which is not a setting, is the name of a flag of `weir upscale`, `lease`, `run` or `leak`.
bool is_flag_only(const std::string& name) {
  for (const auto& table : {upscale_flags(), lease_flags(), run_flags(), leak_flags()})
    if (std::any_of(table.begin(), table.end(), [&](const Flag& flag) { return flag.name == "--" + name; }))
      return true;
  return false;
}

std::string unknown_setting_text(const std::string& name) {
  if (is_flag_only(name)) return fmt::format("'{0}' is no setting, only a flag (--{0})", printable(name));
  std::vector<std::string_view> names;
  for (const Flag& flag : config_flags()) {
    if (!flag.setting_key.empty()) names.push_back(flag.setting_key);
  }
  return fmt::format("unknown setting '{}'{}", printable(name), did_you_mean(name, names));
}

std::string list_text(const toml::array& list);

/// Returns the value as it would be written on the command line; empty for tables, dates, and lists that list_text()
/// does not accept.
std::string text_of(const toml::node& node) {
  if (const auto* list = node.as_array()) return list_text(*list);
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  return {};
}

/// Joins a list of texts with commas; returns an empty text if an element is not a text or contains a comma.
std::string list_text(const toml::array& list) {
  std::string text;
  for (const toml::node& node : list) {
    const auto* text_node = node.as_string();
    if (text_node == nullptr || text_node->get().find(',') != std::string::npos) return {};
    text += (text.empty() ? "" : ",") + text_node->get();
  }
  return text;
}

/// Returns true if there are settings in a table with this name, such as "pool.max-idle" in [pool].
bool is_known_table(const std::string& name) {
  const auto flags = config_flags();
  return std::any_of(flags.begin(), flags.end(),
                     [&](const Flag& flag) { return flag.setting_key.starts_with(name + "."); });
}

/// Reads the settings of one table: the whole file, [roles.NAME], or a table of settings such as [pool], whose keys get
/// the prefix "pool.". Appends them to `settings`. Errors: invalid_argument.
Status read_table(const fs::path& path, const toml::table& table, const std::string& role, const std::string& prefix,
                  std::vector<FileSetting>& settings) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string{key.str()};
    if (node.is_table() && is_known_table(name)) {
      if (auto read = read_table(path, *node.as_table(), role, name + ".", settings); !read) return read;
      continue;
    }
    if (role.empty() && name == "roles" && node.is_table()) continue;
    if (role.empty() && name == "audit" && node.is_table()) continue;  // `weir audit` reads its table [audit] itself
    if (!is_known_setting(name)) return error_at_line(path, key.source(), unknown_setting_text(name));
    if (name == "role")
      return error_at_line(path, key.source(),
                           "a role is given by --role or WEIR_ROLE; its settings are in [roles.NAME]");
    std::string value = text_of(node);
    if (value.empty() && !node.is_string())
      return error_at_line(path, key.source(),
                           fmt::format("'{}' must be a text, a number, true or false, or a list of texts", name));
    if (is_pattern_setting(name) && !node.is_string() && !node.is_array())
      return error_at_line(path, key.source(), fmt::format("'{}' must be a text or a list of texts", name));
    settings.push_back(
        {name, std::move(value), fmt::format("{}:{}", printable(path.native()), key.source().begin.line), role});
  }
  return ok();
}

}  // namespace

Result<std::vector<FileSetting>> read_settings_file(const fs::path& path) {
  std::vector<FileSetting> settings;
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) return settings;
  const auto text = read_file(path);
  if (!text) return Error{Errc::invalid_argument, text.error().what};
  toml::table table;
  try {
    table = toml::parse(*text);
  } catch (const toml::parse_error& error) {
    return error_at_line(path, error.source(), printable(error.description()));
  }
  if (auto read = read_table(path, table, /*role=*/{}, /*prefix=*/{}, settings); !read) return read.error();
  const toml::table* roles = table["roles"].as_table();
  for (const auto& [key, node] : roles == nullptr ? toml::table{} : *roles) {
    const toml::table* role_table = node.as_table();
    if (role_table == nullptr || key.str().empty())
      return error_at_line(path, key.source(), "[roles] holds tables: write [roles.NAME]");
    if (auto read = read_table(path, *role_table, std::string{key.str()}, /*prefix=*/{}, settings); !read)
      return read.error();
  }
  return settings;
}

}  // namespace weir::cli
