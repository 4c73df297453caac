#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// Groups of flags. Help and manual page list the flags by group, in this order. `policy` is the user's rules for
/// devices; `rules`, `fixing` and `campaign` belong to `weir audit`.
enum class FlagGroup {
  network,
  size,
  device,
  policy,
  lease,
  work,
  limits,
  resuming,
  rules,
  fixing,
  campaign,
  output,
  reports,
  help
};
std::string_view group_heading(FlagGroup group);  ///< returns a heading such as "Device"
std::span<const FlagGroup> all_groups();

/// One flag of a command. A flag may also be a setting: then settings files and WEIR_* variables can give its value.
/// The parser, --help, the manual page, the completions and `weir config` all use these descriptions.
struct Flag {
  FlagGroup group;
  std::string_view name;        ///< "--scale"; empty for a setting without a flag
  char letter = 0;              ///< 'o' for -o; 0: the flag has no letter
  std::string_view value_name;  ///< "N", "png|jpg" (a list of choices), "DIR|FILE"; empty for a switch
  std::string_view help;        ///< description, without the default
  /// Description of the default, such as "the format's". Empty: `default_value` returns the default; a switch is off.
  std::string_view default_text;
  std::string_view setting_key = {};  ///< key in weir.toml, in small letters, dashes and points; empty: not a setting
  /// Parses the value (of a switch: "true" or "false") and stores it in `args`. Errors: invalid_argument.
  Status (*set)(std::string_view text, Arguments& args) = nullptr;
  /// Returns the default value as text, for `weir config` and, if default_text is empty, for the help. Null: there is
  /// no default value.
  std::string (*default_value)(const Arguments& args) = nullptr;
  std::string_view alias = {};  ///< another name, which users of ffmpeg know: "-crf"; empty: none
  bool can_repeat = false;      ///< it may be given several times, and `set` is called for each value

  bool is_switch() const { return value_name.empty(); }
};

/// Returns the default of a flag as shown in the help; empty for a switch, which is off by default, and for a flag
/// without a default.
std::string describe_default(const Flag& flag);

// The flags of each command.
std::span<const Flag> upscale_flags();
std::span<const Flag> models_flags();
std::span<const Flag> devices_flags();
std::span<const Flag> doctor_flags();
std::span<const Flag> lease_flags();
std::span<const Flag> run_flags();
std::span<const Flag> leak_flags();
std::span<const Flag> scope_flags();   ///< settings of scopes in a program (Python); no command has them
std::span<const Flag> config_flags();  ///< the settings of all commands, each once, and --help
std::span<const Flag> audit_flags();
std::span<const Flag> help_flags();
std::span<const Flag> version_flags();
std::span<const Flag> worker_flags();
std::span<const Flag> status_flags();
std::span<const Flag> report_flags();
std::span<const Flag> train_flags();
std::span<const Flag> film_flags();

/// Parses a list of devices, such as "cpu" or "cpu:0-3,gpu", and stores it in args.devices. Errors: invalid_argument.
Status set_device(std::string_view text, Arguments& args);

/// Parses a time of at most a week: "90" and "90s" are seconds; other units: "500ms", "10m", "2h", "1d". Errors:
/// invalid_argument.
Status set_time(std::string_view text, std::chrono::milliseconds& target);

/// Returns the environment variable of a setting: "WEIR_SCALE" for "scale", "WEIR_POOL_MAX_IDLE" for "pool.max-idle".
std::string environment_name(std::string_view setting);
/// Returns the choices in a Flag::value_name such as "png|jpg"; an empty list if `value_name` is not a list of words in
/// small letters.
std::vector<std::string_view> list_choices(std::string_view value_name);

}  // namespace weir::cli
