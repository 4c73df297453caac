#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::audit {

/// The result of a program that has ended.
struct ProgramResult {
  int exit_status = -1;                      ///< 128 + signal number if a signal ended the program, as after a timeout
  std::string output;                        ///< the first 4 MiB of standard output and standard error together
  bool timed_out = false;                    ///< the program was killed because it exceeded its time limit
  std::chrono::duration<double> duration{};  ///< wall time
};

/// A program to run, with the environment of this process.
struct ProgramRequest {
  std::vector<std::string> arguments;   ///< the program, found through PATH, and its arguments
  std::string_view input{};             ///< content of its standard input
  std::filesystem::path folder{};       ///< its working folder; empty: the working folder of this process
  std::chrono::seconds time_limit{60};  ///< a program that runs longer is killed, with its process group
};

/// Runs a program and waits until it ends, then kills all remaining processes of its process group. Errors: io (no pipe
/// or process can be made, or the exit status is unknown), invalid_argument (the program does not exist or is not
/// executable).
Result<ProgramResult> run_program(const ProgramRequest& request);

/// Returns the name of a Python 3 interpreter on PATH, "python3" or "python"; nothing if there is none. Searches at the
/// first call only. Thread-safe.
const std::optional<std::string>& find_python();

}  // namespace weir::audit
