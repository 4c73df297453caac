#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "audit/campaign/campaign.hpp"
#include "audit/fix/fixer.hpp"
#include "base/text.hpp"

// The planning of a campaign: which files are fixed, and which shard fixes each of them.

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxListedFiles = 8;

/// Returns the names of the first kMaxListedFiles changed files from the output of `git status --porcelain`.
std::string changed_list(const std::string& porcelain) {
  std::string list;
  std::size_t count = 0;
  for (std::string_view rest = porcelain; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    // A line has three characters before the file name: two for the state and a space.
    if (++count <= kMaxListedFiles)
      list += fmt::format("{}{}", count == 1 ? "" : ", ",
                          printable(rest.substr(std::min<std::size_t>(3, end), end - std::min<std::size_t>(3, end))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return count > kMaxListedFiles ? fmt::format("{} and {} more", list, count - kMaxListedFiles) : list;
}

/// Checks that no tracked file of the working tree is changed.
Status check_tree() {
  const auto changed = run_git({"status", "--porcelain", "--untracked-files=no", "--ignore-submodules=none"});
  if (!changed) return changed.error();
  if (changed->empty()) return ok();
  return Error{Errc::invalid_argument,
               "the working tree has changes; commit or stash them first: " + changed_list(*changed)};
}

/// Returns the subset of `files` that git tracks; paths are relative to `top`, the top folder of the repository. Runs
/// git for 256 files at a time, because the length of a command line is limited.
Result<std::set<std::string>> find_tracked_files(const std::vector<std::string>& files, const fs::path& top) {
  constexpr std::size_t kBatchSize = 256;
  std::set<std::string> names;
  for (std::size_t from = 0; from < files.size(); from += kBatchSize) {
    std::vector<std::string> arguments{"--literal-pathspecs", "ls-files", "-z", "--"};
    for (std::size_t i = from; i < std::min(files.size(), from + kBatchSize); ++i) arguments.push_back(files[i]);
    const auto listed = run_git(arguments, top);
    if (!listed) return listed.error();
    std::string_view rest = *listed;
    for (std::size_t end = rest.find('\0'); end != std::string_view::npos; end = rest.find('\0')) {
      names.emplace(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
  return names;
}

/// Distributes the files with edits over at most `jobs` shards in turn. Adds files that cannot be edited, or that git
/// does not track, to campaign.left_out.
Status distribute_files(const std::vector<FixedFile>& files, const fs::path& top, std::size_t jobs,
                        Campaign& campaign) {
  std::vector<CampaignFile> all;
  std::vector<std::string> paths;
  for (const FixedFile& file : files) {
    const std::string path = file.path.lexically_relative(top).native();
    if (!file.problem.empty()) campaign.left_out.push_back({path, file.problem});
    if (file.text_before == file.text_after) continue;
    paths.push_back(path);
    all.push_back({.path = path, .rules = file.rules});
  }
  const auto tracked = find_tracked_files(paths, top);
  if (!tracked) return tracked.error();
  std::erase_if(all, [&](const CampaignFile& file) {
    const bool is_tracked = tracked->contains(file.path);
    if (!is_tracked) campaign.left_out.push_back({file.path, "git does not track it"});
    return !is_tracked;
  });
  auto& shards = campaign.shards;
  shards.resize(std::min(jobs, all.size()));
  for (std::size_t i = 0; i < shards.size(); ++i) shards[i].name = fmt::format("shard-{}", i + 1);
  for (std::size_t i = 0; i < all.size(); ++i) shards[i % jobs].files.push_back(std::move(all[i]));
  return ok();
}

/// Checks that the campaign's branches do not exist yet, or were created for the same base commit and have no commits
/// of their own. Other branches may contain work that the user still needs, so they are never deleted here.
Status check_branches(const Campaign& campaign) {
  if (campaign.shards.empty()) return ok();
  // Removes git's records of worktrees whose folders were deleted; git refuses to delete their branches otherwise.
  (void)run_git({"worktree", "prune"});
  std::vector<std::string> names{kMergedBranch};
  for (const Shard& shard : campaign.shards) names.push_back(branch_name(shard));
  std::string taken_names;
  for (const std::string& name : names) {
    const auto commit = run_git({"rev-parse", "-q", "--verify", "refs/heads/" + name});
    if (!commit || (first_line(*commit) == campaign.base && is_campaign_branch(name, campaign.base))) continue;
    taken_names += (taken_names.empty() ? "" : " ") + name;
  }
  if (!taken_names.empty())
    return Error{
        Errc::invalid_argument,
        fmt::format("the campaign needs branch names that exist already; merge the commits that you want to keep, then "
                    "'git branch -D {}'",
                    taken_names)};
  if (run_git({"rev-parse", "-q", "--verify", "refs/heads/weir"}))
    return Error{Errc::invalid_argument,
                 "a branch is called weir, so there can be no weir/all: 'git branch -m weir NAME' renames it"};
  return ok();
}

}  // namespace

Result<Campaign> plan_campaign(const CampaignRequest& request) {
  const auto folder = campaign_folder();
  if (!folder) return folder.error();
  if (const auto stored = load_campaign();
      stored && compute_verdict(*stored).planned > 0 && compute_verdict(*stored).fixed > 0)
    return Error{Errc::invalid_argument,
                 fmt::format("a campaign is not finished: 'weir audit run' continues it; delete {} to discard it",
                             printable(folder->native()))};
  if (auto clean = check_tree(); !clean) return clean.error();
  Campaign campaign;
  const auto base = run_git({"rev-parse", "HEAD"});
  if (!base) return Error{Errc::invalid_argument, "the repository has no commit yet"};
  const auto branch = run_git({"symbolic-ref", "--short", "-q", "HEAD"});
  if (!branch) return Error{Errc::invalid_argument, "HEAD is detached; check out a branch first"};
  const auto top = run_git({"rev-parse", "--show-toplevel"});
  if (!top) return top.error();
  const auto fixed = fix_files(request.audit, {.unsafe = request.unsafe, .write = false});
  if (!fixed) return fixed.error();
  campaign.base = first_line(*base);
  campaign.branch = first_line(*branch);
  for (const std::string& operand : request.audit.operands)
    campaign.operands.push_back(fs::absolute(operand).lexically_normal().native());
  campaign.policy_file = request.policy_file.empty() ? std::string{} : fs::absolute(request.policy_file).native();
  campaign.select = request.audit.select;
  campaign.ignore = request.audit.ignore;
  campaign.unsafe = request.unsafe;
  campaign.check_command = request.check_command;
  campaign.test_command = request.test_command;
  campaign.pair_count = request.pair_count;
  const auto jobs = static_cast<std::size_t>(std::clamp(request.jobs, 1, 10));
  if (auto distributed = distribute_files(fixed->files, first_line(*top), jobs, campaign); !distributed)
    return distributed.error();
  if (auto available = check_branches(campaign); !available) return available.error();
  std::error_code problem;
  fs::create_directories(*folder, problem);
  for (const Shard& shard : campaign.shards) {
    if (auto saved = save_shard(*folder, shard); !saved) return saved.error();
  }
  if (auto saved = save_plan(*folder, campaign); !saved) return saved.error();
  return campaign;
}

}  // namespace weir::audit
