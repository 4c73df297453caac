#include <algorithm>
#include <set>

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

/// Those of some files (seen from the top of the repository) that git tracks. A few hundred a question: a command line has an end.
Result<std::set<std::string>> tracked_of(const std::vector<std::string>& files, const fs::path& top) {
  constexpr std::size_t kAtOnce = 256;
  std::set<std::string> names;
  for (std::size_t from = 0; from < files.size(); from += kAtOnce) {
    std::vector<std::string> words{"--literal-pathspecs", "ls-files", "-z", "--"};
    for (std::size_t i = from; i < std::min(files.size(), from + kAtOnce); ++i) words.push_back(files[i]);
    const auto listed = git(words, top);
    if (!listed) return listed.error();
    std::string_view rest = *listed;
    for (std::size_t end = rest.find('\0'); end != std::string_view::npos; end = rest.find('\0')) {
      names.emplace(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
  return names;
}

/// Deals the files that need work out to so many shards, in turn.
Result<std::vector<Shard>> dealt(const std::vector<FixedFile>& files, const fs::path& top, std::size_t jobs) {
  std::vector<CampaignFile> all;
  std::vector<std::string> paths;
  for (const FixedFile& file : files) {
    if (file.before == file.after) continue;
    paths.push_back(file.path.lexically_relative(top).native());
    all.push_back({.path = paths.back(), .rules = file.rules});
  }
  const auto tracked = tracked_of(paths, top);
  if (!tracked) return tracked.error();
  std::erase_if(all, [&](const CampaignFile& file) { return !tracked->contains(file.path); });
  std::vector<Shard> shards(std::min(jobs, all.size()));
  for (std::size_t i = 0; i < shards.size(); ++i) shards[i].name = fmt::format("shard-{}", i + 1);
  for (std::size_t i = 0; i < all.size(); ++i) shards[i % jobs].files.push_back(std::move(all[i]));
  return shards;
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
  auto shards = dealt(fixed->files, first_line(*top), static_cast<std::size_t>(std::clamp(request.jobs, 1, 10)));
  if (!shards) return shards.error();
  campaign.shards = *std::move(shards);
  std::error_code problem;
  fs::create_directories(*folder, problem);
  for (const Shard& shard : campaign.shards) {
    if (auto saved = save_shard(*folder, shard); !saved) return saved.error();
  }
  if (auto saved = save_plan(*folder, campaign); !saved) return saved.error();
  return campaign;
}

}  // namespace weir::audit
