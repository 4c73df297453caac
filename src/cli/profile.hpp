#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/paths.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// A named set of settings for one use of a machine, such as "ci" (docs/guard.md).
struct Profile {
  std::string_view name;
  bool log = false;  ///< write events to the user's state folder if --log is not given
  /// Whether scopes (guarded parts of a Python program) and Python tests lease the device; empty: only if they request
  /// it.
  std::optional<bool> lease;
  int fragmentation_pct = 100;  ///< max_fragmentation() in percent of --max-fragmentation
};

/// Returns the profile with this name; null if there is none.
const Profile* find_profile(std::string_view name);

/// Returns the profile of --profile; if it is not given, a profile with the default values of Profile.
Profile selected_profile(const GuardArguments& args);

/// Returns the largest amount of unused memory that an allocator may hold after a scope. A scope that leaves more is
/// reported.
Bytes max_fragmentation(const GuardArguments& args);

/// Returns the path of the event log: the value of --log; if it is not given and Profile::log is true, events.jsonl in
/// the user's state folder, which is created; else an empty text. Returns an empty text too if there is no state
/// folder.
std::string event_log_path(const Arguments& args, const Environment& environment);

}  // namespace weir::cli
