#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::audit {

struct ProgramResult {
  int exit_status = -1;  ///< exit status; 128 + signal if one ended it
  std::string output;    ///< what it printed, standard output and standard error together, at most kMostOutput of it
  bool timed_out = false;
  std::chrono::duration<double> duration{};
};

struct ProgramRequest {
  std::vector<std::string> arguments;   ///< the program, found by PATH, and its arguments
  std::string_view input{};             ///< its standard input
  std::filesystem::path folder{};       ///< its working folder; empty: ours
  std::chrono::seconds time_limit{60};  ///< after which its whole process group is killed
};

/// Runs a program to its end. Nothing of it is left running. Errors: io (it cannot be started).
Result<ProgramResult> run_program(const ProgramRequest& request);

/// The interpreter for compile checks, found once; empty if there is none on PATH.
const std::optional<std::string>& find_python();

}  // namespace weir::audit
