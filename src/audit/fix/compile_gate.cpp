#include "audit/fix/compile_gate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "audit/run_program.hpp"

namespace weir::audit {
namespace {

/// Reads "BEFORE AFTER\n", two sizes in bytes, and both texts, again and again; answers each with one character.
constexpr const char* kProgram =
    "import sys\n"
    "def compiles(text):\n"
    "    try: compile(text, 'file', 'exec', dont_inherit=True)\n"
    "    except Exception: return False\n"
    "    return True\n"
    "source = sys.stdin.buffer\n"
    "for sizes in iter(source.readline, b''):\n"
    "    before, after = [source.read(int(size)) for size in sizes.split()]\n"
    "    sys.stdout.write('y' if not compiles(before) or compiles(after) else 'n')\n"
    "    sys.stdout.flush()\n";

/// The answers of one process for the texts from one on: fewer than there are if one of them ended it.
std::string run_compile_check(const std::string& python, const std::vector<EditedCode>& codes, std::size_t from) {
  std::string input;
  for (std::size_t i = from; i < codes.size(); ++i)
    input += fmt::format("{} {}\n{}{}", codes[i].text_before.size(), codes[i].text_after.size(), codes[i].text_before,
                         codes[i].text_after);
  const std::chrono::seconds limit{60 + static_cast<long>(codes.size() - from)};
  auto result = run_program(
      {.arguments = {python, "-I", "-S", "-W", "ignore", "-c", kProgram}, .input = input, .time_limit = limit});
  if (!result) return {};
  // What an interpreter says when it dies comes behind them.
  std::string answers = result->output.substr(0, result->output.find_first_not_of("yn"));
  answers.resize(std::min(answers.size(), codes.size() - from));
  return answers;
}

}  // namespace

std::vector<bool> check_compilation(const std::vector<EditedCode>& codes) {
  std::vector<bool> good;
  if (codes.empty()) return good;
  const auto& python = find_python();
  if (!python) return std::vector<bool>(codes.size(), true);
  while (good.size() < codes.size()) {
    for (const char answer : run_compile_check(*python, codes, good.size())) good.push_back(answer == 'y');
    if (good.size() < codes.size()) good.push_back(false);  // the one that ended the process
  }
  return good;
}

}  // namespace weir::audit
