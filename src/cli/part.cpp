#include "cli/part.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

std::string file_of(std::string_view name) { return fmt::format("weir-{}", name); }

}  // namespace

fs::path part_program(std::string_view name) {
  std::error_code problem;
  const fs::path folder = fs::read_symlink("/proc/self/exe", problem).parent_path();
  if (problem) return {};
  for (const fs::path& place : std::array{folder, folder.parent_path() / "libexec" / "weir"}) {
    fs::path program = place / file_of(name);
    if (::access(program.c_str(), F_OK) == 0) return program;
  }
  return {};
}

std::string part_package(std::string_view name) { return file_of(name); }

Ending run_part(std::string_view name, const std::vector<std::string>& words) {
  const fs::path program = part_program(name);
  if (program.empty())
    return {
        Exit::nothing_started,
        fmt::format("weir {} is a part that is not installed here; the package {} has it, and 'make build' makes it "
                    "from weir's sources",
                    name, part_package(name))};
  std::vector<std::string> all{program.native()};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  pointers.reserve(all.size() + 1);
  for (std::string& word : all) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  return {Exit::nothing_started, fmt::format("{}: {}", printable(program.native()), errno_text(errno))};
}

}  // namespace weir::cli
