#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"
#include "cli/command.hpp"

namespace {

weir::cli::Ending run(const std::vector<std::string>& words) {
  try {
    return weir::cli::run_program(words);
  } catch (const std::exception& problem) {
    if (const auto refusal = weir::refusal_of(problem)) return {weir::cli::Exit::nothing_started, refusal->what};
    return {weir::cli::Exit::fault, std::string{"a fault of weir: "} + weir::printable(problem.what())};
  }
}

}  // namespace

int main(int argc, char** argv) {
  weir::prepare_standard_streams();
  const weir::cli::Ending ending = run({argv + (argc > 0 ? 1 : 0), argv + argc});
  try {
    if (const std::string missing = weir::missing_threads(); !missing.empty())
      fmt::print(stderr, "warning: {}\n", missing);
    if (!ending.what.empty()) fmt::print(stderr, "error: {}\n", ending.what);
  } catch (const std::exception&) {
    // standard error is closed: the exit status speaks alone
  }
  return static_cast<int>(ending.exit);
}
