#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "audit/audit.hpp"
#include "audit/report/report.hpp"
#include "audit/rules/rule.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/defaults.hpp"
#include "observe/log.hpp"

namespace weir::cli {
namespace {

Ending wrong_usage(std::string what) { return {Exit::wrong_usage, std::move(what)}; }

Ending run_explain(const std::string& id) {
  const audit::Rule* rule = audit::find_rule(id);
  if (rule == nullptr) return wrong_usage(fmt::format("there is no rule '{}'; rules are G01 to G32", printable(id)));
  return print(audit::explain(*rule));
}

/// --policy, or weir.toml of the current folder where there is one.
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
  return request;
}

}  // namespace

Ending run_audit(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (!args.audit.explain.empty()) return run_explain(args.audit.explain);
  if (args.operands.empty()) return wrong_usage("no file or folder given; see 'weir help audit'");
  const auto request = make_request(args);
  if (!request) return wrong_usage(request.error().what);
  const auto found = audit::run_audit(*request);
  if (!found) return wrong_usage(found.error().what);
  observe::Log log{observe::Verbosity::normal};
  for (const std::string& problem : found->problems) log.warning(problem);
  const std::string report =
      args.audit.stats ? audit::statistics(*found) : audit::find_reporter(args.audit.format)(*found);
  if (auto printed = print(report); printed.exit != Exit::done) return printed;
  const bool clean =
      std::all_of(found->findings.begin(), found->findings.end(), [](const auto& f) { return f.suppressed; });
  return {clean && found->problems.empty() ? Exit::done : Exit::some_failed, {}};
}

}  // namespace weir::cli
