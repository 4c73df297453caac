#pragma once

#include <string>
#include <utility>
#include <vector>

namespace weir::cli {

/// The exit status of weir. A command that runs another program returns that program's status, which may be any number
/// from 0 to 255 and need not be an enumerator.
enum class ExitStatus {
  done = 0,
  some_failed = 1,  ///< each failed item is named
  wrong_usage = 2,  ///< the command line or the settings are wrong
  /// The work could not start: for example, no network or device was available, or every item was refused
  /// (jobs::ItemResult::refused).
  nothing_started = 3,
  interrupted = 4,
  internal_error = 70,  ///< a defect of weir
  own_failure = 125,    ///< an error of weir in a command that returns another program's status, as in timeout(1)
};

/// The result of a command. The command does not print `message`; main_program() prints it as "error: MESSAGE".
struct ExitResult {
  ExitStatus status = ExitStatus::done;
  std::string message;  ///< error message; empty: none
  /// Error messages of items, which were printed already: "page.png: truncated at row 512".
  std::vector<std::string> item_failures{};
};

/// Makes the result for a wrong command line or wrong settings.
inline ExitResult wrong_usage(std::string what) { return {ExitStatus::wrong_usage, std::move(what), {}}; }

}  // namespace weir::cli
