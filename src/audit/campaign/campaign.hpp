#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "base/result.hpp"

namespace weir::audit {

/// How one file of a campaign stands.
struct CampaignFile {
  std::string path{};  ///< below the repository
  std::vector<std::string> rules{};
  std::string state = "planned";  ///< planned, mended, put back
  std::string reason{};           ///< why it was put back
  std::string commit{};
  double seconds = 0;  ///< of its work, checks included
  double slower = 0;   ///< median of (after / before) - 1 over paired runs; 0 if not measured
  double spread = 0;   ///< half the distance between the quartiles of the same
};

/// A file with something to mend that no shard has.
struct LeftOutFile {
  std::string path{};    ///< below the repository
  std::string reason{};  ///< "is read-only"
};

/// The files of one worker.
struct Shard {
  std::string name;  ///< "shard-1"; its branch is weir/shard-1
  std::vector<CampaignFile> files;
};

/// What to do and how far it is. Kept in <repository's .git>/weir-audit, one file for the plan and one a shard, each written
/// whole or not at all, so that an interrupted campaign goes on where it was.
struct Campaign {
  std::string base;    ///< the commit that all work starts from
  std::string branch;  ///< the user's, which is not touched
  std::vector<std::string> operands, select, ignore;
  std::string policy;
  bool unsafe = false;
  std::string check;  ///< command for each file, with {file}; empty: none
  std::string tests;  ///< command for the whole project; empty: none
  int pairs = 0;      ///< paired timed runs of the check; 0: none
  double wall_seconds = 0;
  std::vector<Shard> shards;
  std::vector<LeftOutFile> left_out{};
};

/// What the command line asks of a step; `jobs`, 1 to 10, are workers.
struct CampaignRequest {
  AuditRequest audit{};
  std::string policy_file{};
  bool unsafe = false;
  std::string check{}, tests{};
  int jobs = 1;
  int pairs = 0;
  std::stop_token stop{};
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

/// Finds the files that need work and deals them out. Errors: invalid_argument (no git repository, a tree with changes (named),
/// no branch, a campaign that is not finished, branches of an earlier one), io.
Result<Campaign> plan_campaign(const CampaignRequest& request);

/// Does what is left of the plan: for each shard a worktree and a branch; for each file the checks before, the edit, the checks
/// after, a commit or the file put back; at the end one branch weir/all with all shards merged. Errors: invalid_argument, io,
/// cancelled.
Result<Campaign> run_campaign(const CampaignRequest& request);

/// The campaign as it stands. Errors: invalid_argument if there is none.
Result<Campaign> load_campaign();

/// Computed from the files' states, never from anything else.
struct Verdict {
  std::size_t planned = 0, mended = 0, put_back = 0;
  double sequential_seconds = 0;  ///< the files' own times, added up; workers beside one another slow each other down
  bool complete() const { return planned == 0 && put_back == 0; }
  std::string text() const;
};
/// Counts them.
Verdict verdict_of(const Campaign& campaign);

/// "md", "html" or "junit".
std::string campaign_report(const Campaign& campaign, std::string_view format);
/// The project's way of selecting GPUs, and the start of a new program, both from the policy.
std::string standard_page(const Policy& policy);
std::string template_file(const Policy& policy);

// Shared by the steps.

/// What a git command prints. Thread-safe. Errors: io, with what git complains of.
Result<std::string> git(const std::vector<std::string>& words, const std::filesystem::path& folder = {});
/// Without its line end, as one printable line.
std::string first_line(std::string_view text);
/// The branch of a shard, "weir/shard-1", and that of all of them, "weir/all".
std::string branch_of(const Shard& shard);
inline constexpr const char* kBranchOfAll = "weir/all";
/// Whether a branch was made by a campaign from this commit; it is noted in git's configuration, where it goes with the branch.
bool is_made_from(const std::string& branch, const std::string& base);
Status note_made_from(const std::string& branch, const std::string& base);
/// Where campaigns of the current folder's repository are kept. Errors: invalid_argument (no repository).
Result<std::filesystem::path> campaign_folder();
/// Write what load_campaign reads; the folder is campaign_folder()'s and is there.
Status save_plan(const std::filesystem::path& folder, const Campaign& campaign);
Status save_shard(const std::filesystem::path& folder, const Shard& shard);

}  // namespace weir::audit
