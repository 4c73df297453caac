#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"

namespace {

weir::cli::Ending run(const std::vector<std::string>& words) {
  try {
    return weir::cli::run_program(words);
  } catch (const std::exception& problem) {
    return {weir::cli::Exit::fault, std::string{"a fault of weir: "} + weir::printable(problem.what())};
  }
}

}  // namespace

int main(int argc, char** argv) {
  weir::prepare_standard_streams();
  const weir::cli::Ending ending = run({argv + (argc > 0 ? 1 : 0), argv + argc});
  if (!ending.what.empty()) {
    try {
      fmt::print(stderr, "error: {}\n", ending.what);
    } catch (const std::exception&) {
      // standard error is closed: the exit status speaks alone
    }
  }
  return static_cast<int>(ending.exit);
}
