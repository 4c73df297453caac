#include "audit/fix/compile_gate.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "audit/run_program.hpp"

namespace weir::audit {
namespace {

/// A Python program. For each pair it reads "BEFORE AFTER\n" (the sizes of both texts in bytes) and both texts, and
/// writes 'y' (the pair passes) or 'n'.
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

/// Returns the answers ('y' or 'n') of one process for the pairs from the index `from` on. There are fewer answers than
/// pairs if a pair ended the process, and none if the process cannot be started.
std::string run_compile_check(const std::string& python, const std::vector<EditedCode>& codes, std::size_t from) {
  std::string input;
  for (std::size_t i = from; i < codes.size(); ++i)
    input += fmt::format("{} {}\n{}{}", codes[i].text_before.size(), codes[i].text_after.size(), codes[i].text_before,
                         codes[i].text_after);
  const std::chrono::seconds limit{60 + static_cast<long>(codes.size() - from)};
  auto result = run_program(
      {.arguments = {python, "-I", "-S", "-W", "ignore", "-c", kProgram}, .input = input, .time_limit = limit});
  if (!result) return {};
  // A crashing interpreter writes its message after the answers.
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
    if (good.size() < codes.size()) good.push_back(false);  // the pair without an answer
  }
  return good;
}

}  // namespace weir::audit
