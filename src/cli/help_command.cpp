#include <fmt/format.h>

#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/command.hpp"
#include "cli/completions.hpp"
#include "cli/help_text.hpp"

namespace weir::cli {

Ending run_help(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.man) return print(manual_page());
  if (!args.completion.empty()) return print(completions_for(args.completion));
  if (args.operands.empty()) return print(program_help());
  const Command* command = find_command(args.operands.front());
  if (command == nullptr || args.operands.size() > 1)
    return {Exit::wrong_usage,
            fmt::format("there is no help on '{}'; see 'weir help'", printable(args.operands.back()))};
  return print(command_help(*command));
}

Ending run_version(const Invocation&) { return print(fmt::format("weir {}\n", kVersion)); }

}  // namespace weir::cli
