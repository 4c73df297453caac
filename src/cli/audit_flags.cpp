// The flags of `weir audit`.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/common_flags.hpp"
#include "cli/flag_values.hpp"
#include "cli/flags.hpp"

namespace weir::cli {
namespace {

Status set_text(std::string_view text, std::string& target) {
  if (text.empty()) return invalid("the value is empty");
  target = text;
  return ok();
}

/// Splits a list such as "G01,G08".
Status set_list(std::string_view text, std::vector<std::string>& target) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (comma != 0) target.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return target.empty() ? Status{invalid("the list is empty")} : ok();
}

template <class T>
Status set_integer(std::string_view text, int min, int max, T& target) {
  const auto number = parse_integer(text, min, max);
  if (!number) return number.error();
  target = *number;
  return ok();
}

constexpr std::string_view kFormats = "text|json|sarif|github|junit|md|html";

Status set_format(std::string_view text, Arguments& args) {
  const auto choices = list_choices(kFormats);
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    return invalid(fmt::format("'{}' is none of text, json, sarif, github, junit, md and html", printable(text)));
  args.audit.format = text;
  return ok();
}

constexpr Flag kAuditFlags[] = {
    {FlagGroup::rules, "--policy", 0, "FILE", "The file with the [audit] table.",
     "weir.toml of the current folder, if it has one", "",
     [](std::string_view text, Arguments& args) { return set_text(text, args.audit.policy); }},
    {FlagGroup::rules, "--select", 0, "RULES", "Use only these rules, as in G01,G08, also those that need a policy.",
     "all rules; those that need a policy only if there is one", "",
     [](std::string_view text, Arguments& args) { return set_list(text, args.audit.select); }},
    {FlagGroup::rules, "--ignore", 0, "RULES", "Do not use these rules.", "none", "",
     [](std::string_view text, Arguments& args) { return set_list(text, args.audit.ignore); }},
    {FlagGroup::output, "--format", 0, kFormats,
     "Format of the result on standard output; html only for the report of a campaign.", "text", "", set_format},
    {FlagGroup::fixing, "--fix", 0, "",
     "Fix what can be fixed without changing the program's behaviour; each file is written completely or not at all.",
     "", "",
     [](std::string_view, Arguments& args) {
       args.audit.fix = true;
       return ok();
     }},
    {FlagGroup::fixing, "--unsafe", 0, "",
     "With --fix or --diff: also make fixes that may change the program's "
     "behaviour.",
     "", "",
     [](std::string_view, Arguments& args) {
       args.audit.unsafe = true;
       return ok();
     }},
    {FlagGroup::fixing, "--diff", 0, "",
     "Print what --fix would change, and change nothing. Exit status 1 if there are changes.", "", "",
     [](std::string_view, Arguments& args) {
       args.audit.diff = true;
       return ok();
     }},
    {FlagGroup::fixing, "--backup", 0, "", "With --fix: keep each changed file as FILE.orig.", "", "",
     [](std::string_view, Arguments& args) {
       args.audit.backup = true;
       return ok();
     }},
    {FlagGroup::output, "--stats", 0, "", "Print counts by rule and file instead of the findings.", "", "",
     [](std::string_view, Arguments& args) {
       args.audit.stats = true;
       return ok();
     }},
    {FlagGroup::rules, "--explain", 0, "RULE",
     "Print what a rule means, with a bad and a good example; as a page with --format md.", "none", "",
     [](std::string_view text, Arguments& args) { return set_text(text, args.audit.explain); }},
    {FlagGroup::rules, "--baseline", 0, "FILE", "Findings in this file are not reported and not fixed.", "none", "",
     [](std::string_view text, Arguments& args) { return set_text(text, args.audit.baseline); }},
    {FlagGroup::rules, "--write-baseline", 0, "", "With --baseline: write the present findings into the file.", "", "",
     [](std::string_view, Arguments& args) {
       args.audit.write_baseline = true;
       return ok();
     }},
    {FlagGroup::campaign, "--jobs", 0, "N",
     "plan, run: number of workers, 1 to 10, each with its own branch and "
     "worktree.",
     "1", "", [](std::string_view text, Arguments& args) { return set_integer(text, 1, 10, args.audit.jobs); }},
    {FlagGroup::campaign, "--check", 0, "COMMAND",
     "plan: run this for each file before and after its change, with {file} for its name; a different exit status or "
     "output restores the file.",
     "none", "", [](std::string_view text, Arguments& args) { return set_text(text, args.audit.check); }},
    {FlagGroup::campaign, "--tests", 0, "COMMAND",
     "plan: the project's tests, run before and after each change like --check.", "none", "",
     [](std::string_view text, Arguments& args) { return set_text(text, args.audit.tests); }},
    {FlagGroup::campaign, "--pairs", 0, "N",
     "plan: measure the time of --check over N pairs of runs, before and "
     "after the change in turn.",
     "none; no time is measured", "",
     [](std::string_view text, Arguments& args) { return set_integer(text, 1, 1000, args.audit.pairs); }},
    {FlagGroup::output, "--output", 'o', "DIR",
     "report: also write the standard for selecting GPUs and a template, made from the policy, into this folder.",
     "none", "", [](std::string_view text, Arguments& args) { return set_text(text, args.output); }},
    {FlagGroup::work, "--threads", 0, "N", "Threads.", "the processors that the process may use", "",
     [](std::string_view text, Arguments& args) { return set_integer(text, 1, 1024, args.threads); }},
    kHelpFlag,
};

}  // namespace

std::span<const Flag> audit_flags() { return kAuditFlags; }

}  // namespace weir::cli
