#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weir::cli {

enum class Exit {
  done = 0,
  some_failed = 1,      ///< each is named
  wrong_usage = 2,      ///< the command line or the settings
  nothing_started = 3,  ///< no network, or every item refused for want of memory
  interrupted = 4,
  fault = 70,         ///< of ours
  own_failure = 125,  ///< of a command that passes on another program's status, as timeout(1) has it
};

/// How a command ends. Only main prints `error: <what>`.
struct Ending {
  Exit exit = Exit::done;
  std::string what;                     ///< empty if there is nothing to say
  std::vector<std::string> failures{};  ///< of items, which were told as they came: "page.png: truncated at row 512"
};

inline Ending wrong_usage(std::string what) { return {Exit::wrong_usage, std::move(what), {}}; }

}  // namespace weir::cli
