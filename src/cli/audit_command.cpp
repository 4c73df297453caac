#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/audit.hpp"
#include "audit/baseline.hpp"
#include "audit/fix/diff.hpp"
#include "audit/fix/fixer.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/rule.hpp"
#include "base/text.hpp"
#include "cli/audit_campaign.hpp"
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "observe/log.hpp"

namespace weir::cli {
namespace {

Ending wrong_usage(std::string what) { return {Exit::wrong_usage, std::move(what)}; }

Ending run_explain(const std::string& id, bool as_page) {
  const audit::Rule* rule = audit::find_rule(id);
  if (rule == nullptr) return wrong_usage(fmt::format("there is no rule '{}'; rules are G01 to G32", printable(id)));
  return print(as_page ? audit::rule_page(*rule) : audit::explain(*rule));
}

/// --policy, or weir.toml of the current folder where there is one.
Result<audit::Policy> find_policy(const Arguments& args) {
  if (!args.audit.policy.empty()) return audit::read_policy(args.audit.policy);
  std::error_code problem;
  if (!std::filesystem::exists("weir.toml", problem)) return audit::Policy{};
  return audit::read_policy("weir.toml");
}

/// Reads or writes the baseline, as asked for.
Status apply_baseline(audit::Audit& found, const Arguments& args) {
  if (args.audit.baseline.empty()) return ok();
  if (args.audit.write_baseline) return audit::write_baseline(args.audit.baseline, found.findings);
  return audit::read_baseline(args.audit.baseline, found.findings);
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
  return request;
}

bool is_clean(const audit::Audit& audit) {
  return audit.problems.empty() &&
         std::all_of(audit.findings.begin(), audit.findings.end(), [](const auto& f) { return f.suppressed; });
}

Ending report(const audit::Audit& found, const Arguments& args, observe::Log& log) {
  for (const std::string& problem : found.problems) log.warning(problem);
  const std::string text = args.audit.stats ? audit::statistics(found) : audit::find_reporter(args.audit.format)(found);
  if (auto printed = print(text); printed.exit != Exit::done) return printed;
  return {is_clean(found) ? Exit::done : Exit::some_failed, {}};
}

Ending run_fix(const audit::AuditRequest& request, const Arguments& args) {
  const audit::FixRequest how{.unsafe = args.audit.unsafe, .write = !args.audit.diff, .backup = args.audit.backup};
  const auto outcome = audit::fix(request, how);
  if (!outcome) return wrong_usage(outcome.error().what);
  observe::Log log{observe::Verbosity::normal};
  bool changed = false;
  bool failed = false;
  for (const audit::FixedFile& file : outcome->files) {
    if (!file.problem.empty()) {
      failed = true;
      log.error(fmt::format("{}: left as it was: {}", printable(file.name), file.problem));
      continue;
    }
    if (file.before == file.after) continue;
    changed = true;
    if (!args.audit.diff)
      log.info(fmt::format("{}: mended {}", printable(file.name), fmt::join(file.rules, ", ")));
    else if (auto printed = print(audit::unified_diff(file.name, file.before, file.after)); printed.exit != Exit::done)
      return printed;
  }
  if (args.audit.diff) return {changed || failed ? Exit::some_failed : Exit::done, {}};
  const Ending ending = report(outcome->after, args, log);
  return failed ? Ending{Exit::some_failed, {}} : ending;
}

}  // namespace

Ending run_audit(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (!args.audit.explain.empty()) return run_explain(args.audit.explain, args.audit.format == "md");
  if (is_campaign(args)) return run_campaign(invocation);
  if (args.audit.format == "html") return wrong_usage("--format html is for 'weir audit report'");
  if (args.operands.empty()) return wrong_usage("no file or folder given; see 'weir help audit'");
  const auto request = make_request(args);
  if (!request) return wrong_usage(request.error().what);
  if (args.audit.fix || args.audit.diff) return run_fix(*request, args);
  auto found = audit::run_audit(*request);
  if (!found) return wrong_usage(found.error().what);
  if (auto known = apply_baseline(*found, args); !known) return wrong_usage(known.error().what);
  if (args.audit.write_baseline) return {};
  observe::Log log{observe::Verbosity::normal};
  return report(*found, args, log);
}

}  // namespace weir::cli
