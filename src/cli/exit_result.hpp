#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weir::cli {

enum class ExitStatus {
  done = 0,
  some_failed = 1,      ///< each is named
  wrong_usage = 2,      ///< the command line or the settings
  nothing_started = 3,  ///< no network, or every item refused for want of memory
  interrupted = 4,
  internal_error = 70,  ///< of ours
  own_failure = 125,    ///< of a command that passes on another program's status, as timeout(1) has it
};

/// How a command ends. Only main prints `error: <what>`.
struct ExitResult {
  ExitStatus status = ExitStatus::done;
  std::string message;  ///< empty if there is nothing to say
  std::vector<std::string>
      item_failures{};  ///< of items, which were told as they came: "page.png: truncated at row 512"
};

inline ExitResult wrong_usage(std::string what) { return {ExitStatus::wrong_usage, std::move(what), {}}; }

}  // namespace weir::cli
