#include "cli/help_text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "cli/part.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t kWidth = 80;      // columns
constexpr std::size_t kTextIndent = 6;  // columns before the explanation of a flag, usage line or example

/// Wraps text at spaces into lines of at most kWidth columns, indented by `indent`.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    const bool starts_line = column == 0 || column + 1 + word.size() > kWidth;
    if (starts_line && column != 0) out += '\n';
    out += starts_line ? std::string(indent, ' ') : " ";
    column = (starts_line ? indent : column + 1) + word.size();
    out += word;
  }
  return out + '\n';
}

/// Returns the flags of one group, in the order of the table.
std::vector<const Flag*> flags_in(const Command& command, FlagGroup group) {
  std::vector<const Flag*> flags;
  for (const Flag& flag : command.flags)
    if (flag.group == group) flags.push_back(&flag);
  return flags;
}

/// Returns the flag's description and its default.
std::string flag_text(const Flag& flag) {
  const std::string default_text = describe_default(flag);
  return default_text.empty() ? std::string{flag.help} : fmt::format("{} Default: {}.", flag.help, default_text);
}

std::string flag_help(const Flag& flag) {
  std::string text = "  " + flag_heading(flag) + '\n' + wrapped(flag_text(flag), kTextIndent);
  if (!flag.setting_key.empty())
    text += wrapped(fmt::format("Setting {}, variable {}.", flag.setting_key, environment_name(flag.setting_key)),
                    kTextIndent);
  return text;
}

/// Escapes text for roff, which reads a line that starts with a point or an apostrophe as a request, and '-' as a
/// hyphen.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += std::string{"\\&"} + c;
    else
      out += c;
  }
  return out;
}

std::string usage(const Command& command) {
  const std::string_view operands = command.operands;
  return fmt::format("weir {} [FLAG]...{}{}", command.name, operands.empty() ? "" : " ", operands);
}

/// Returns the usage lines or examples with their explanations, in roff. `before`: text that is put before each line.
std::string manual_lines(std::string_view before, const std::vector<UsageLine>& lines) {
  std::string text;
  for (const UsageLine& line : lines)
    text += fmt::format(".TP\n.B {}\n{}\n", roff(fmt::format("{}{}", before, line.text)), roff(line.explanation));
  return text;
}

std::string manual_command(const Command& command) {
  std::string text =
      fmt::format(".SS {}\n.B {}\n.PP\n{}\n", roff(command.name), roff(usage(command)), roff(command.summary));
  if (!command.description.empty()) text += fmt::format(".PP\n{}\n", roff(command.description));
  text += manual_lines(fmt::format("weir {} ", command.name), command.usages);
  if (!command.examples.empty()) text += ".PP\n.I Examples\n" + manual_lines("", command.examples);
  for (const FlagGroup group : all_groups()) {
    const auto flags = flags_in(command, group);
    if (std::none_of(flags.begin(), flags.end(), [](const Flag* flag) { return !flag->name.empty(); })) continue;
    text += fmt::format(".PP\n.I {}\n", group_heading(group));
    for (const Flag* flag : flags)
      if (!flag->name.empty())
        text += fmt::format(".TP\n.B {}\n{}\n", roff(flag_heading(*flag)), roff(flag_text(*flag)));
  }
  return text;
}

std::string manual_settings() {
  std::string text;
  for (const Flag& flag : config_flags()) {
    if (!flag.setting_key.empty())
      text += fmt::format(".TP\n.BR {} \", \" {}\n{}\n", roff(flag.setting_key),
                          roff(environment_name(flag.setting_key)), roff(flag_text(flag)));
  }
  return text;
}

}  // namespace

std::string flag_heading(const Flag& flag) {
  std::string text = flag.letter == 0 ? std::string{} : fmt::format("-{}, ", flag.letter);
  text += flag.name.empty() ? fmt::format("(setting {})", flag.setting_key) : std::string{flag.name};
  if (!flag.is_switch()) text += fmt::format(" {}", flag.value_name);
  return text;
}

std::string program_help() {
  std::string text =
      "Usage: weir COMMAND [FLAG]...\n\nEnlarges pictures with neural networks within a memory limit that you "
      "set.\n\nCommands:\n";
  for (const Command& command : commands()) {
    const bool absent = command.run == nullptr && find_part_program(command.name).empty();
    text += fmt::format("  {:<10}{}{}\n", command.name, command.summary,
                        absent ? fmt::format(" (not installed: package {})", part_package(command.name)) : "");
  }
  return text + "\n'weir help COMMAND' describes a command.\n";
}

std::string command_help(const Command& command) {
  std::string text = fmt::format("Usage: {}\n\n{}", usage(command), wrapped(command.summary, /*indent=*/0));
  if (!command.description.empty()) text += wrapped(command.description, /*indent=*/0);
  if (!command.usages.empty()) text += "\nWays to use it:\n";
  for (const UsageLine& line : command.usages)
    text += fmt::format("  weir {} {}\n{}", command.name, line.text, wrapped(line.explanation, kTextIndent));
  if (!command.examples.empty()) text += "\nExamples:\n";
  for (const UsageLine& example : command.examples)
    text += fmt::format("  {}\n{}", example.text, wrapped(example.explanation, kTextIndent));
  for (const FlagGroup group : all_groups()) {
    const auto flags = flags_in(command, group);
    if (!flags.empty()) text += fmt::format("\n{}:\n", group_heading(group));
    for (const Flag* flag : flags) text += flag_help(*flag);
  }
  return text + "\nA flag without a value is off unless it is given.\n";
}

std::string manual_page() {
  std::string text = ".TH WEIR 1\n.SH NAME\nweir \\- enlarge pictures within a memory limit\n.SH SYNOPSIS\n";
  for (const Command& command : commands()) text += fmt::format(".B {}\n.br\n", roff(usage(command)));
  text += ".SH COMMANDS\nA flag without a value is off unless it is given.\n";
  for (const Command& command : commands()) text += manual_command(command);
  text += fmt::format(".SH SETTINGS\n{}\nThe key in weir.toml and the environment variable of each:\n{}",
                      roff(find_command("config")->description), manual_settings());
  text +=
      ".SH EXIT STATUS\n.TP\n0\nAll done.\n.TP\n1\nSome pictures failed; each is named.\n.TP\n2\nThe command line or "
      "the settings are wrong.\n.TP\n3\nNothing could start: no network, or every picture was refused because memory "
      "was missing.\n.TP\n4\nInterrupted.\n.TP\n70\nAn internal error of weir.\n";
  return text;
}

}  // namespace weir::cli
