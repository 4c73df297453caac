#include "cli/part.hpp"

#include <array>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "base/this_process.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

std::string part_file_name(std::string_view name) { return fmt::format("weir-{}", name); }

}  // namespace

fs::path find_part_program(std::string_view name) {
  const fs::path folder = program_file().parent_path();
  if (folder.empty()) return {};
  for (const fs::path& place : std::array{folder, folder.parent_path() / "libexec" / "weir"}) {
    fs::path program = place / part_file_name(name);
    std::error_code ignored;
    if (fs::exists(program, ignored)) return program;
  }
  return {};
}

std::string part_package(std::string_view name) { return part_file_name(name); }

ExitResult run_part(std::string_view name, const std::vector<std::string>& arguments) {
  const fs::path program = find_part_program(name);
  if (program.empty())
    return {
        ExitStatus::nothing_started,
        fmt::format("weir {} is a part that is not installed here; the package {} has it, and 'make build' makes it "
                    "from weir's sources",
                    name, part_package(name))};
  std::vector<std::string> all{program.native()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const int error = replace_process(program, std::move(all));
  return {ExitStatus::nothing_started, fmt::format("{}: {}", printable(program.native()), errno_text(error))};
}

}  // namespace weir::cli
