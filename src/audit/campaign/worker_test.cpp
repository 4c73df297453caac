// The work on one shard of a campaign, called directly. tests/cli_audit_test.cpp runs whole campaigns.
#include "audit/campaign/worker.hpp"

#include <gtest/gtest.h>

#include "audit/run_program.hpp"
#include "folder.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;
using test::Folder;

constexpr const char* kTextBefore = "a = 1\n";
constexpr const char* kTextAfter = "a = 2\n";

/// A git repository with one file, which is the current folder while the object exists.
struct CurrentRepository {
  CurrentRepository() {
    fs::current_path(folder.path());
    git({"init", "-q", "-b", "main"});
    git({"config", "user.name", "tester"});
    git({"config", "user.email", "tester@example.org"});
    folder.put("a.py", kTextBefore);
    git({"add", "-A"});
    git({"commit", "-q", "-m", "start"});
  }
  ~CurrentRepository() {
    std::error_code ignored;
    fs::current_path(earlier, ignored);
  }
  CurrentRepository(const CurrentRepository&) = delete;
  CurrentRepository& operator=(const CurrentRepository&) = delete;
  std::string git(std::vector<std::string> words) const {
    words.insert(words.begin(), "git");
    const auto ended = run_program({.arguments = std::move(words), .folder = folder.path()});
    return ended ? ended->output : "";
  }
  fs::path earlier = fs::current_path();
  Folder folder;
};

/// Works on the file of a new repository, with a time limit of one second for the check. Returns the file's new state.
CampaignFile process_one_file(const std::string& check, int pair_count) {
  const CurrentRepository repository;
  const CampaignRequest request{.check_time_limit = std::chrono::seconds{1}};
  Campaign campaign;
  campaign.base = first_line(repository.git({"rev-parse", "HEAD"}));
  campaign.check_command = check;
  campaign.pair_count = pair_count;
  Shard shard{.name = "shard-1", .files = {{.path = "a.py"}}};
  const EditedTexts texts{{"a.py", {kTextBefore, kTextAfter}}};
  const fs::path folder = repository.folder / ".git/weir-audit";
  fs::create_directories(folder);
  std::mutex worktree_mutex;
  const std::function<Status()> save_duration = [] { return ok(); };
  const auto done = process_shard({request, campaign, texts, folder, worktree_mutex, save_duration}, shard);
  EXPECT_TRUE(done) << done.error().what;
  return shard.files.front();
}

// Each check counts its runs in a file above its worktree, so that a chosen run takes longer than the limit.
std::string check_that_hangs_in_run(int run) {
  return "echo >> ../runs; test $(wc -l < ../runs) -ne " + std::to_string(run) + " || sleep 60";
}

TEST(AuditCampaignWorker, AFileIsTimedAndCommitted) {
  const CampaignFile file = process_one_file("sleep 0.01", 2);
  EXPECT_EQ(file.state, "fixed") << file.reason;
  EXPECT_NE(file.slowdown, 0);
}

TEST(AuditCampaignWorker, AFileWhoseCheckExceedsTheLimitIsRestored) {
  // Runs 1 and 2 compare the results of the check before and after the edit, runs 3 and 4 are the first timed pair.
  for (const int run : {1, 2, 3, 4}) {
    const CampaignFile file = process_one_file(check_that_hangs_in_run(run), 1);
    EXPECT_EQ(file.state, "put back") << run;
    EXPECT_NE(file.reason.find("does not end within"), std::string::npos) << file.reason;
    EXPECT_EQ(file.slowdown, 0) << run;
  }
}

TEST(AuditCampaignWorker, AThirdRunThatExceedsTheLimitDoesNotExcuseADifference) {
  // The outputs before and after the edit differ, so a third run, on the old text, shows whether they always differ.
  const CampaignFile file = process_one_file("cat {file}; " + check_that_hangs_in_run(3), 0);
  EXPECT_EQ(file.state, "put back");
  EXPECT_NE(file.reason.find("does not end within"), std::string::npos) << file.reason;
}

}  // namespace
}  // namespace weir::audit
