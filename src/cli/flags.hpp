#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// What a flag is about: help and manual page list the flags by it, in this order.
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
std::string_view group_heading(FlagGroup group);  ///< "Device"
std::span<const FlagGroup> all_groups();

/// One flag or setting. The parser, --help, the manual page, the completions and `weir config` are all made from rows
/// of this kind.
struct Flag {
  FlagGroup group;
  std::string_view name;        ///< "--scale"; empty for a setting that no flag changes
  char letter = 0;              ///< 'o' for -o
  std::string_view value_name;  ///< "N", "png|jpg" (the choices), "DIR|FILE"; empty for a switch
  std::string_view help;        ///< without what holds if nobody sets it
  std::string_view
      default_text;  ///< what holds then, in words: "the format's"; empty: a switch is off, else `fallback` tells it
  std::string_view setting_key;  ///< key in weir.toml, in small letters and dashes; empty for the command line alone
  Status (*set)(std::string_view text, Arguments& args) = nullptr;  ///< a switch is given "true"
  std::string (*default_value)(const Arguments& args) =
      nullptr;  ///< the same as a value, for `weir config`; null: no value

  bool is_switch() const { return value_name.empty(); }
};

/// What holds if nobody sets the flag, as help tells it; empty for a switch, which is then off.
std::string describe_default(const Flag& flag);

std::span<const Flag> upscale_flags();
std::span<const Flag> models_flags();
std::span<const Flag> devices_flags();
std::span<const Flag> doctor_flags();
std::span<const Flag> lease_flags();
std::span<const Flag> run_flags();
std::span<const Flag> leak_flags();
std::span<const Flag> scope_flags();   ///< of no command: what scopes in a program (Python) are set by
std::span<const Flag> config_flags();  ///< the settings of all commands, each once, and --help
std::span<const Flag> audit_flags();
std::span<const Flag> help_flags();
std::span<const Flag> version_flags();
std::span<const Flag> worker_flags();
std::span<const Flag> status_flags();
std::span<const Flag> report_flags();
std::span<const Flag> train_flags();

/// "cpu", "cpu:0-3,gpu", ... Errors: invalid_argument.
Status set_device(std::string_view text, Arguments& args);

/// "90" and "90s" are seconds, "500ms", "10m", "2h", "1d"; of a week at most; "0" is none. Errors: invalid_argument.
Status set_time(std::string_view text, std::chrono::milliseconds& target);

/// "scale" -> "WEIR_SCALE".
std::string environment_name(std::string_view setting);
/// The choices of a value such as "png|jpg"; none if it is not a list of words in small letters.
std::vector<std::string_view> list_choices(std::string_view value_name);

}  // namespace weir::cli
