#include "parts/audit/audit_campaign.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "audit/campaign/campaign.hpp"
#include "base/atomic_file.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/defaults.hpp"
#include "observe/log.hpp"

namespace weir::parts {
namespace {

using cli::print;
using cli::wrong_usage;

namespace fs = std::filesystem;

/// Makes the request from the flags. The policy file is the file of --policy; if it is not given, `planned_policy`, the
/// file that the campaign's plan names; if that is empty, weir.toml in the current folder, if it exists.
Result<audit::CampaignRequest> make_request(const Arguments& args, const std::string& planned_policy) {
  audit::CampaignRequest request;
  request.policy_file = !args.audit.policy.empty() ? args.audit.policy : planned_policy;
  if (request.policy_file.empty() && fs::exists("weir.toml")) request.policy_file = "weir.toml";
  if (!request.policy_file.empty()) {
    auto policy = audit::read_policy(request.policy_file);
    if (!policy) return policy.error();
    request.audit.policy = *std::move(policy);
  }
  request.audit.operands.assign(args.operands.begin() + 1, args.operands.end());
  request.audit.select = args.audit.select;
  request.audit.ignore = args.audit.ignore;
  request.audit.threads = effective_threads(args);
  request.unsafe = args.audit.unsafe;
  request.check_command = args.audit.check;
  request.test_command = args.audit.tests;
  request.jobs = args.audit.jobs;
  request.pair_count = args.audit.pairs;
  return request;
}

ExitResult make_exit_result(const Error& error) {
  if (error.code == Errc::cancelled) return {ExitStatus::interrupted, error.what};
  return {error.code == Errc::invalid_argument ? ExitStatus::wrong_usage : ExitStatus::some_failed, error.what};
}

/// Prints whether the campaign is complete, as one line.
ExitResult print_verdict(const audit::Campaign& campaign) {
  const auto verdict = audit::compute_verdict(campaign);
  if (auto printed = print(verdict.text() + "\n"); printed.status != ExitStatus::done) return printed;
  return {verdict.is_complete() ? ExitStatus::done : ExitStatus::some_failed, {}};
}

/// Runs `weir audit plan`.
ExitResult write_campaign_plan(const Arguments& args) {
  if (args.operands.size() < 2) return wrong_usage("no file or folder given: weir audit plan PATH...");
  const auto request = make_request(args, /*planned_policy=*/{});
  if (!request) return wrong_usage(request.error().what);
  const auto campaign = audit::plan_campaign(*request);
  if (!campaign) return make_exit_result(campaign.error());
  observe::Log log{observe::Verbosity::normal};
  for (const auto& file : campaign->left_out)
    log.warning(fmt::format("{}: left out of the plan: {}", printable(file.path), printable(file.reason)));
  std::string text;
  for (const auto& shard : campaign->shards) {
    for (const auto& file : shard.files)
      text += fmt::format("{}  {}  {}\n", audit::branch_name(shard), printable(file.path), fmt::join(file.rules, " "));
  }
  return print(text + fmt::format("{} files in {} shards; 'weir audit run' runs the plan\n",
                                  audit::compute_verdict(*campaign).planned, campaign->shards.size()));
}

/// Called by SignalStopSource when the grace period is over: no message is printed.
void ignore_interruption() {}

/// Runs `weir audit run`.
ExitResult execute_campaign(const Arguments& args) {
  if (args.operands.size() > 1) return wrong_usage("'weir audit run' takes no path: the plan names the files");
  // After a signal the work on one file is finished, which may take as long as its checks, so the grace period is long.
  const SignalStopSource signals{std::chrono::hours{2}, static_cast<int>(ExitStatus::interrupted), ignore_interruption};
  const auto plan = audit::load_campaign();
  if (!plan) return make_exit_result(plan.error());
  auto request = make_request(args, plan->policy_file);
  if (!request) return wrong_usage(request.error().what);
  observe::Log log{observe::Verbosity::normal};
  request->stop = signals.token();
  request->on_message = [&](const std::string& line) { log.info(line); };
  const auto campaign = audit::run_campaign(*request);
  return campaign ? print_verdict(*campaign) : make_exit_result(campaign.error());
}

/// Writes the page with the rules for selecting the policy's GPU, and a new program that follows them, to the folder
/// --output, which is created if it does not exist.
Status write_pages(const fs::path& folder, const audit::Policy& policy) {
  std::error_code ignored;  // if the folder cannot be created, the first file cannot be written, which says why
  fs::create_directories(folder, ignored);
  if (auto written = write_file(folder / "gpu-selection.md", audit::gpu_selection_page(policy)); !written)
    return written;
  return write_file(folder / "template.py", audit::template_file(policy));
}

/// Runs `weir audit report`.
ExitResult write_campaign_report(const Arguments& args) {
  const auto campaign = audit::load_campaign();
  if (!campaign) return make_exit_result(campaign.error());
  const auto request = make_request(args, campaign->policy_file);
  if (!request) return wrong_usage(request.error().what);
  if (!args.output.empty()) {
    if (auto written = write_pages(args.output, request->audit.policy); !written)
      return {ExitStatus::some_failed, written.error().what};
  }
  if (auto printed = print(audit::campaign_report(*campaign, args.audit.format)); printed.status != ExitStatus::done)
    return printed;
  return {audit::compute_verdict(*campaign).is_complete() ? ExitStatus::done : ExitStatus::some_failed, {}};
}

}  // namespace

bool is_campaign_command(const Arguments& args) {
  const std::string verb = args.operands.empty() ? std::string{} : args.operands.front();
  return verb == "plan" || verb == "run" || verb == "report";
}

ExitResult run_campaign(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  const std::string& verb = args.operands.front();
  return verb == "plan"  ? write_campaign_plan(args)
         : verb == "run" ? execute_campaign(args)
                         : write_campaign_report(args);
}

}  // namespace weir::parts
