#include "cli/main_program.hpp"

#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/threads.hpp"

namespace weir::cli {
namespace {

Ending run(const std::vector<std::string>& words, const OwnCommand* own) {
  try {
    return run_program(words, own);
  } catch (const std::exception& problem) {
    if (const auto refusal = refusal_of(problem)) return {Exit::nothing_started, refusal->what};
    return {Exit::fault, std::string{"a fault of weir: "} + printable(problem.what())};
  }
}

}  // namespace

int main_program(int argc, char** argv, const OwnCommand* own) {
  prepare_standard_streams();
  std::vector<std::string> words{argv + (argc > 0 ? 1 : 0), argv + argc};
  const bool is_worker = own != nullptr && own->kinds != nullptr && !words.empty() && words.front() == "worker";
  if (own != nullptr && !is_worker) words.insert(words.begin(), std::string{own->name});
  const Ending ending = run(words, own);
  try {
    if (const std::string missing = missing_threads(); !missing.empty()) fmt::print(stderr, "warning: {}\n", missing);
    if (!ending.what.empty()) fmt::print(stderr, "error: {}\n", ending.what);
  } catch (const std::exception&) {
    // standard error is closed: the exit status speaks alone
  }
  return static_cast<int>(ending.exit);
}

}  // namespace weir::cli
