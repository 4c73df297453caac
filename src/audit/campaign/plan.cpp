#include <algorithm>

#include <fmt/format.h>

#include "audit/campaign/campaign.hpp"
#include "audit/fix/fixer.hpp"
#include "base/text.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

/// The names of changed files, a few of them.
std::string changed_list(const std::string& porcelain) {
  std::string list;
  std::size_t count = 0;
  for (std::string_view rest = porcelain; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (++count <= 8)
      list += fmt::format("{}{}", count == 1 ? "" : ", ",
                          printable(rest.substr(std::min<std::size_t>(3, end), end - std::min<std::size_t>(3, end))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return count > 8 ? fmt::format("{} and {} more", list, count - 8) : list;
}

Status check_tree() {
  const auto changed = git({"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=none"});
  if (!changed) return changed.error();
  if (changed->empty()) return ok();
  return Error{Errc::invalid_argument, "the tree has changes; commit or stash them first: " + changed_list(*changed)};
}

}  // namespace

Result<Campaign> plan_campaign(const CampaignRequest& request) {
  const auto folder = campaign_folder();
  if (!folder) return folder.error();
  if (const auto old = load_campaign(); old && verdict_of(*old).planned > 0 && verdict_of(*old).mended > 0)
    return Error{Errc::invalid_argument,
                 fmt::format("a campaign is not finished: 'weir audit run' goes on with it; delete {} to forget it",
                             printable(folder->native()))};
  if (auto clean = check_tree(); !clean) return clean.error();
  Campaign campaign;
  const auto base = git({"rev-parse", "HEAD"});
  if (!base) return Error{Errc::invalid_argument, "the repository has no commit yet"};
  const auto branch = git({"symbolic-ref", "--short", "-q", "HEAD"});
  if (!branch) return Error{Errc::invalid_argument, "HEAD is detached; check out a branch first"};
  const auto top = git({"rev-parse", "--show-toplevel"});
  if (!top) return top.error();
  const auto fixed = fix(request.audit, {.unsafe = request.unsafe, .write = false});
  if (!fixed) return fixed.error();
  campaign.base = first_line(*base);
  campaign.branch = first_line(*branch);
  for (const std::string& operand : request.audit.operands)
    campaign.operands.push_back(fs::absolute(operand).lexically_normal().native());
  campaign.policy = request.policy_file.empty() ? std::string{} : fs::absolute(request.policy_file).native();
  campaign.select = request.audit.select;
  campaign.ignore = request.audit.ignore;
  campaign.unsafe = request.unsafe;
  campaign.check = request.check;
  campaign.tests = request.tests;
  campaign.pairs = request.pairs;
  const auto jobs = static_cast<std::size_t>(std::clamp(request.jobs, 1, 10));
  std::size_t dealt = 0;
  for (const FixedFile& file : fixed->files) {
    if (file.before == file.after) continue;
    const std::string relative = file.path.lexically_relative(first_line(*top)).native();
    if (!git({"ls-files", "--error-unmatch", "--", relative}, first_line(*top))) continue;  // not in the repository
    if (campaign.shards.size() < jobs)
      campaign.shards.push_back({fmt::format("shard-{}", campaign.shards.size() + 1), {}});
    campaign.shards[dealt++ % jobs].files.push_back({.path = relative, .rules = file.rules});
  }
  std::error_code problem;
  fs::create_directories(*folder, problem);
  for (const Shard& shard : campaign.shards) {
    if (auto saved = save_shard(shard); !saved) return saved.error();
  }
  if (auto saved = save_plan(campaign); !saved) return saved.error();
  return campaign;
}

}  // namespace weir::audit
