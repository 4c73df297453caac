// `weir help` and `weir version`.

#include <algorithm>

#include <fmt/format.h>

#include "base/closest_word.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/command.hpp"
#include "cli/completions.hpp"
#include "cli/help_text.hpp"

namespace weir::cli {

ExitResult run_help(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.man) return print(manual_page());
  if (!args.completion.empty()) return print(completions_for(args.completion));
  if (args.operands.empty()) return print(program_help());
  const std::string& name = args.operands.front();
  const Command* command = find_command(name);
  if (command == nullptr)
    return {ExitStatus::wrong_usage, fmt::format("there is no help on '{}'{}; see 'weir help'", printable(name),
                                                 did_you_mean(name, command_names()))};
  const auto verbs = list_verbs(*command);  // second words, as in 'weir lease list': described by the help of 'lease'
  const bool is_verb =
      args.operands.size() == 2 && std::find(verbs.begin(), verbs.end(), args.operands[1]) != verbs.end();
  if (args.operands.size() > 1 && !is_verb)
    return {ExitStatus::wrong_usage,
            fmt::format("there is no help on '{} {}'{}; see 'weir help {}'", name, printable(args.operands[1]),
                        did_you_mean(args.operands[1], verbs), name)};
  return print(command_help(*command));
}

ExitResult run_version(const Invocation&) { return print(fmt::format("weir {}\n", kVersion)); }

}  // namespace weir::cli
