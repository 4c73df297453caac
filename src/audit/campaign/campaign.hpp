#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "base/result.hpp"

namespace weir::audit {

// A campaign fixes the files of a git repository on branches of its own: each file is edited, checked by the user's
// commands, and committed or restored. `weir audit plan` plans a campaign, `weir audit run` executes it.

/// The state of one file of a campaign.
struct CampaignFile {
  std::string path{};                ///< path below the repository
  std::vector<std::string> rules{};  ///< ids of the rules whose findings are fixed
  std::string state = "planned";     ///< "planned" (not done yet), "fixed" or "put back" (restored)
  std::string reason{};              ///< why the file was put back; otherwise empty
  std::string commit{};              ///< hash of the commit with the fix; empty before it
  double seconds = 0;                ///< duration of the work on the file, checks included
  double slowdown = 0;         ///< median, over the pairs of runs (Campaign::pair_count), of (duration after the edit /
                               ///< duration before it) - 1; 0 if not measured
  double slowdown_spread = 0;  ///< half the interquartile range of the same values
};

/// A file with something to fix that the campaign cannot fix.
struct LeftOutFile {
  std::string path{};    ///< path below the repository
  std::string reason{};  ///< reason such as "is read-only"
};

/// A part of the files, which one worker fixes one after the other on one branch.
struct Shard {
  std::string name;  ///< "shard-1"; the branch is weir/shard-1
  std::vector<CampaignFile> files;
};

/// The plan of a campaign and its progress. It is stored in campaign_folder(), in one file for the plan and one per
/// shard. Each file is written atomically, so that an interrupted campaign can continue.
struct Campaign {
  std::string base;                         ///< hash of the commit that all branches start from
  std::string branch;                       ///< the user's branch at the time of the plan; a campaign never changes it
  std::vector<std::string> operands;        ///< absolute paths of the files and folders to fix
  std::vector<std::string> select, ignore;  ///< as in AuditRequest
  std::string policy_file;                  ///< absolute path of weir.toml; empty if there is none
  bool unsafe = false;                      ///< also applies unsafe edits
  std::string check_command;  ///< shell command that checks one file, before and after the edit; {file} is the file;
                              ///< empty: none
  std::string test_command;  ///< shell command that checks the whole project, before and after each file's edit; empty:
                             ///< none
  int pair_count = 0;        ///< number of pairs of timed runs of `check_command` per file: one run before the edit and
                             ///< one after it
  double wall_seconds = 0;   ///< wall time of all runs of the campaign so far
  std::vector<Shard> shards;
  std::vector<LeftOutFile> left_out{};
};

/// The options for planning or running a campaign. A run takes operands, rules, `unsafe`, the commands and `pair_count`
/// from the stored plan and ignores them here.
struct CampaignRequest {
  AuditRequest audit{};
  std::string policy_file{};                    ///< path of weir.toml; empty if there is none
  bool unsafe = false;                          ///< as in Campaign
  std::string check_command{}, test_command{};  ///< as in Campaign
  int jobs = 1;        ///< plan: largest number of shards; run: number of worker threads. Values
                       ///< outside 1 to 10 are clamped
  int pair_count = 0;  ///< as in Campaign
  /// A run of a check that takes longer is killed, and its file is restored.
  std::chrono::seconds check_time_limit = std::chrono::hours{1};
  std::stop_token stop{};  ///< ends a run after the files that are being worked on
  /// Receives one line about each file that is done, from any thread.
  std::function<void(const std::string&)> on_message = [](const std::string&) {};
};

/// Finds the files with something to fix, distributes them over the shards and stores the plan. Errors:
/// invalid_argument (there is no git repository, no commit or no branch; the working tree has changes; an unfinished
/// campaign has commits; the branch names are taken; those of fix_files()), io, disk_full.
Result<Campaign> plan_campaign(const CampaignRequest& request);

/// Works on all files of the stored plan whose state is "planned". If there is none, it only does what an interrupted run
/// left undone: the merge and the removal of the worktrees. Each shard has its own git worktree and branch. A file is committed if each check passes the edit: the check has the same exit status
/// and output before and after the edit, or it fails before the edit and succeeds after it. If two runs before the edit
/// print different outputs, only the exit status counts. A file that does not pass a check, or whose check exceeds its
/// time limit, is restored. If no error occurs, in the end the branch weir/all contains the commits of all shards, and the
/// worktrees are removed. Errors: invalid_argument (there is no git repository or no plan, HEAD is not the plan's
/// commit, a branch is not of this campaign; those of fix_files()), io, disk_full, corrupt, cancelled.
Result<Campaign> run_campaign(const CampaignRequest& request);

/// Loads the stored campaign. Errors: invalid_argument (there is none, or no git repository), corrupt.
Result<Campaign> load_campaign();

/// The result of a campaign.
struct Verdict {
  std::size_t planned = 0, fixed = 0, put_back = 0;  ///< number of files in each state (CampaignFile::state)
  double sequential_seconds = 0;                     ///< sum of the durations of all files
  /// Returns whether all files are fixed.
  bool is_complete() const { return planned == 0 && put_back == 0; }
  /// Returns "complete: 5 of 5 files fixed", or the count of each state.
  std::string text() const;
};
/// Counts the files of a campaign by state and adds up their durations.
Verdict compute_verdict(const Campaign& campaign);

/// Returns a report in the format "html" or "junit"; in Markdown for any other format.
std::string campaign_report(const Campaign& campaign, std::string_view format);
/// Returns a Markdown page for developers with the rules for selecting the policy's GPU.
std::string gpu_selection_page(const Policy& policy);
/// Returns the text of a new Python program that selects the policy's GPU.
std::string template_file(const Policy& policy);

// Functions that the planning and the run of a campaign share.

/// Runs git in `folder` (empty: the current folder), for at most 300 s, and returns its standard output and standard
/// error together. Thread-safe. Errors: io (git fails, with its error message), those of run_program().
Result<std::string> run_git(const std::vector<std::string>& arguments, const std::filesystem::path& folder = {});
/// Returns the first line of a text without its line break; control characters are replaced.
std::string first_line(std::string_view text);
/// Returns the name of a shard's branch: "weir/shard-1".
std::string branch_name(const Shard& shard);
/// The branch with the commits of all shards.
inline constexpr const char* kMergedBranch = "weir/all";
/// Returns whether mark_campaign_branch() marked the branch for a campaign that starts at the commit `base`.
bool is_campaign_branch(const std::string& branch, const std::string& base);
/// Marks a branch, which need not exist yet, as created by the campaign that starts at the commit `base`. The mark is a
/// key in git's configuration that git deletes together with the branch. Errors: io.
Status mark_campaign_branch(const std::string& branch, const std::string& base);
/// Returns the folder that stores the campaign: weir-audit in the .git folder of the current repository. It need not
/// exist. Errors: invalid_argument (no repository).
Result<std::filesystem::path> campaign_folder();
/// These functions write the file of the plan and the file of one shard, which load_campaign() reads. `folder` is
/// campaign_folder() and must exist. Errors: io, disk_full.
Status save_plan(const std::filesystem::path& folder, const Campaign& campaign);
Status save_shard(const std::filesystem::path& folder, const Shard& shard);

}  // namespace weir::audit
