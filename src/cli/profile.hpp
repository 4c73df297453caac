#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.hpp"
#include "base/paths.hpp"
#include "cli/arguments.hpp"

namespace weir::cli {

/// Settings of the guard that go together, by what the machine is used for.
struct Profile {
  std::string_view name;
  bool log = false;             ///< events go to the user's state folder where no file is named
  std::optional<bool> lease;    ///< whether scopes and tests hold the device; empty: where they ask for it
  int fragmentation_pct = 100;  ///< of --max-fragmentation
};

/// The profile of that name; null if there is none.
const Profile* find_profile(std::string_view name);

/// The profile of the arguments; without one it changes nothing.
Profile selected_profile(const GuardArguments& args);

/// What an allocator may hold without having handed it out before it is told.
Bytes max_fragmentation(const GuardArguments& args);

/// The file for events: --log, else events.jsonl in the user's state folder (which is made) if the profile keeps a log;
/// empty for none.
std::string event_log_path(const Arguments& args, const Environment& environment);

}  // namespace weir::cli
