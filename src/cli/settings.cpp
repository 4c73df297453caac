#include "cli/settings.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/closest_word.hpp"
#include "base/text.hpp"

namespace weir::cli {
namespace {

/// Applies the values of all layers (see resolve_settings()) one after the other. A later value of a setting replaces
/// an earlier value and its origin.
class Layers {
 public:
  explicit Layers(std::span<const Flag> flags) : flags_{flags} {
    for (const Flag& flag : flags) {
      if (!flag.setting_key.empty()) settings_.effective.push_back({.flag = &flag, .text = {}, .origin = "default"});
    }
  }

  /// Applies one value. Errors: invalid_argument.
  Status apply(const Flag& flag, const std::string& text, const std::string& origin) {
    if (auto applied = flag.set(text, settings_.args); !applied)
      return Error{Errc::invalid_argument, fmt::format("{}: {}{}", origin, applied.error().what,
                                                       did_you_mean(text, list_choices(flag.value_name)))};
    if (flag.setting_key.empty()) return ok();
    const auto setting = find(flag.setting_key);
    setting->text = text;
    setting->origin = origin;
    return ok();
  }

  /// Applies one value of a settings file. Ignores a setting that this command does not have, but adds a warning if the
  /// command has a flag with its name that is not a setting.
  Status apply(const FileSetting& value) {
    const auto setting = find(value.key);
    if (setting != settings_.effective.end()) return apply(*setting->flag, value.text, value.origin);
    for (const Flag& flag : flags_)
      if (flag.setting_key.empty() && flag.name == "--" + value.key)
        warn_not_read(fmt::format("{}: '{}'", value.origin, value.key), flag);
    return ok();
  }

  /// Adds a warning that the value `what` of a file or variable has no effect.
  void warn_not_read(const std::string& what, const Flag& flag) {
    settings_.ignored_value_warnings.push_back(
        fmt::format("{} is not read by this command: it is no setting here, only a flag ({})", what, flag.name));
  }

  /// Sets the texts of the defaults and returns the settings.
  Settings finish() && {
    for (Setting& setting : settings_.effective) {
      if (setting.origin == "default" && setting.flag->default_value != nullptr)
        setting.text = setting.flag->default_value(settings_.args);
    }
    return std::move(settings_);
  }

 private:
  std::vector<Setting>::iterator find(std::string_view key) {
    auto& all = settings_.effective;
    return std::find_if(all.begin(), all.end(),
                        [&](const Setting& setting) { return setting.flag->setting_key == key; });
  }

  std::span<const Flag> flags_;
  Settings settings_;
};

/// Returns the role of this run: --role, else WEIR_ROLE. Files cannot set it.
std::string active_role(const CommandLine& line, const Environment& environment) {
  for (const GivenFlag& given : line.flags)
    if (given.flag->setting_key == "role") return given.text;
  return environment("WEIR_ROLE").value_or("");
}

}  // namespace

std::vector<std::filesystem::path> settings_files(const Environment& environment) {
  std::vector<std::filesystem::path> files;
  if (const auto user = user_settings_folder(environment); !user.empty()) files.push_back(user / "weir.toml");
  files.emplace_back("weir.toml");
  return files;
}

Result<Settings> resolve_settings(std::span<const Flag> flags, const CommandLine& line, const Environment& environment,
                                  const std::vector<std::filesystem::path>& files) {
  Layers layers{flags};  // starts with the defaults
  const std::string role = active_role(line, environment);
  bool role_found = role.empty();
  std::vector<std::string> roles;
  for (const auto& file : files) {
    const auto values = read_settings_file(file);
    if (!values) return values.error();
    for (const FileSetting& value : *values) roles.push_back(value.role);
    // First the settings outside of the tables of roles, then the table of the active role, which overrides them.
    for (const std::string& section : {std::string{}, role}) {
      for (const FileSetting& value : *values) {
        if (value.role != section) continue;
        role_found = role_found || !section.empty();
        if (auto applied = layers.apply(value); !applied) return applied.error();
      }
      if (role.empty()) break;
    }
  }
  if (!role_found)
    return Error{Errc::invalid_argument,
                 fmt::format("no [roles.{}] is in a weir.toml that is read{}", printable(role),
                             did_you_mean(role, std::vector<std::string_view>{roles.begin(), roles.end()}))};
  // The environment. A variable for a flag that is not a setting has no effect, and is reported.
  for (const Flag& flag : flags) {
    if (flag.setting_key.empty()) {
      if (flag.name.empty() || flag.name == "--help") continue;
      const std::string variable = environment_name(flag.name.substr(2));
      if (environment(variable.c_str())) layers.warn_not_read(variable, flag);
      continue;
    }
    const std::string variable = environment_name(flag.setting_key);
    if (const auto text = environment(variable.c_str())) {
      if (auto applied = layers.apply(flag, *text, variable); !applied) return applied.error();
    }
  }
  for (const GivenFlag& given : line.flags) {
    if (auto applied = layers.apply(*given.flag, given.text, std::string{given.flag->name}); !applied)
      return applied.error();
  }
  Settings settings = std::move(layers).finish();
  settings.args.operands = line.operands;
  return settings;
}

}  // namespace weir::cli
