#include "parts/audit/audit_command.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/audit.hpp"
#include "audit/baseline.hpp"
#include "audit/fix/diff.hpp"
#include "audit/fix/fixer.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/rule.hpp"
#include "base/closest_word.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "observe/log.hpp"
#include "parts/audit/audit_campaign.hpp"

namespace weir::parts {
namespace {

using cli::print;
using cli::wrong_usage;

/// Returns an error message for unknown rule ids; empty if all are known.
std::string find_unknown_rule(const Arguments& args) {
  const std::pair<const char*, const std::vector<std::string>&> lists[]{{"--select", args.audit.select},
                                                                        {"--ignore", args.audit.ignore}};
  for (const auto& [flag, ids] : lists)
    for (const std::string& id : ids)
      if (audit::find_rule(id) == nullptr) return fmt::format("{}: {}", flag, audit::unknown_rule_text(id));
  return {};
}

/// Returns an error message if the first operand is not a file and is similar to a verb; else an empty text.
std::string find_mistyped_verb(const Arguments& args) {
  const std::string& first = args.operands.front();
  std::error_code problem;
  if (is_campaign_command(args) || std::filesystem::exists(first, problem)) return {};
  const std::string hint = did_you_mean(first, cli::list_verbs(*cli::find_command("audit")));
  return hint.empty() ? hint : fmt::format("'{}' is no file, folder or verb{}", printable(first), hint);
}

/// Prints the explanation of a rule. `as_page`: as a Markdown page.
ExitResult run_explain(const std::string& id, bool as_page) {
  const audit::Rule* rule = audit::find_rule(id);
  if (rule == nullptr) return wrong_usage("--explain: " + audit::unknown_rule_text(id));
  return print(as_page ? audit::rule_page(*rule) : audit::explain_rule(*rule));
}

/// Reads the policy of --policy, or weir.toml in the current folder if it exists.
Result<audit::Policy> find_policy(const Arguments& args) {
  if (!args.audit.policy.empty()) return audit::read_policy(args.audit.policy);
  std::error_code problem;
  if (!std::filesystem::exists("weir.toml", problem)) return audit::Policy{};
  return audit::read_policy("weir.toml");
}

Result<audit::AuditRequest> make_request(const Arguments& args) {
  auto policy = find_policy(args);
  if (!policy) return policy.error();
  audit::AuditRequest request;
  request.operands = args.operands;
  request.policy = *std::move(policy);
  request.select = args.audit.select;
  request.ignore = args.audit.ignore;
  request.threads = effective_threads(args);
  if (!args.audit.baseline.empty() && !args.audit.write_baseline) {
    auto known = audit::read_baseline(args.audit.baseline);
    if (!known) return known.error();
    request.baseline = *std::move(known);
  }
  return request;
}

/// Returns an error message for flags that conflict, and for missing or wrong arguments; empty if there is no error.
std::string find_usage_error(const Arguments& args) {
  const auto& given = args.audit;
  if (given.format == "html" && !is_campaign_command(args)) return "--format html is for 'weir audit report'";
  if (args.operands.empty()) return "no file or folder given; see 'weir help audit'";
  if (auto unknown = find_unknown_rule(args); !unknown.empty()) return unknown;
  if (auto mistyped = find_mistyped_verb(args); !mistyped.empty()) return mistyped;
  if (given.write_baseline && given.baseline.empty()) return "--write-baseline needs --baseline FILE";
  if (given.write_baseline && (given.fix || given.diff))
    return "--write-baseline does not go with --fix or --diff: fix first, then write the remaining findings";
  if (!given.baseline.empty() && is_campaign_command(args))
    return "a campaign does not support --baseline; --ignore and comments ('weir: ignore[G10]') leave findings out";
  return {};
}

/// Returns true if all files were checked and all findings are suppressed.
bool is_clean(const audit::AuditResult& audit) {
  return audit.problems.empty() && std::all_of(audit.findings.begin(), audit.findings.end(),
                                               [](const auto& finding) { return finding.suppressed; });
}

/// Prints the findings, or with --stats their counts, and logs problems and notes.
ExitResult report(const audit::AuditResult& result, const Arguments& args, observe::Log& log) {
  for (const auto* lines : {&result.problems, &result.notes})
    for (const std::string& line : *lines) log.warning(line);
  const std::string text =
      args.audit.stats ? audit::statistics_report(result) : audit::find_reporter(args.audit.format)(result);
  if (auto printed = print(text); printed.status != ExitStatus::done) return printed;
  return {is_clean(result) ? ExitStatus::done : ExitStatus::some_failed, {}};
}

/// Fixes the files; with --diff only prints the changes.
ExitResult run_fix(const audit::AuditRequest& request, const Arguments& args) {
  const audit::FixOptions options{.unsafe = args.audit.unsafe, .write = !args.audit.diff, .backup = args.audit.backup};
  const auto fixed = audit::fix_files(request, options);
  if (!fixed) return wrong_usage(fixed.error().what);
  observe::Log log{observe::Verbosity::normal};
  bool changed = false;
  bool failed = false;
  for (const audit::FixedFile& file : fixed->files) {
    if (!file.problem.empty()) {
      failed = true;
      log.error(fmt::format("{}: left as it was: {}", printable(file.name), file.problem));
      continue;
    }
    if (file.text_before == file.text_after) continue;
    changed = true;
    if (!args.audit.diff)
      log.info(fmt::format("{}: fixed {}", printable(file.name), fmt::join(file.rules, ", ")));
    else if (auto printed = print(audit::unified_diff(file.name, file.text_before, file.text_after));
             printed.status != ExitStatus::done)
      return printed;
  }
  if (args.audit.diff) return {changed || failed ? ExitStatus::some_failed : ExitStatus::done, {}};
  const ExitResult reported = report(fixed->audit_after, args, log);
  return failed ? ExitResult{ExitStatus::some_failed, {}} : reported;
}

}  // namespace

ExitResult run_audit(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (!args.audit.explain.empty()) return run_explain(args.audit.explain, args.audit.format == "md");
  if (auto why = find_usage_error(args); !why.empty()) return wrong_usage(std::move(why));
  if (is_campaign_command(args)) return run_campaign(invocation);
  const auto request = make_request(args);
  if (!request) return wrong_usage(request.error().what);
  if (args.audit.fix || args.audit.diff) return run_fix(*request, args);
  auto found = audit::run_audit(*request);
  if (!found) return wrong_usage(found.error().what);
  if (args.audit.write_baseline) {
    const auto written = audit::write_baseline(args.audit.baseline, found->findings);
    return written ? ExitResult{} : ExitResult{ExitStatus::some_failed, written.error().what};
  }
  observe::Log log{observe::Verbosity::normal};
  return report(*found, args, log);
}

}  // namespace weir::parts
