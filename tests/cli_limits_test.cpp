// What the system refuses (processes, files, address space) is one clear line and a status, or fewer threads; never a
// hang, an abort or a fault.

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <vector>

#include "pictures.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

/// A user without processes, another one each time: the limit counts whatever a user runs, and tests run beside each other. A program
/// above its user's limit is not even started (EAGAIN, execve(2)).
uid_t nobody_else() {
  static uid_t used = 0;
  return 30000 + (static_cast<uid_t>(getpid()) * 128 + used++) % 35000;
}

class CliLimits : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_network(folder_ / "nets", "blocks", 2, 2);
    ASSERT_TRUE(write_picture(folder_ / "a.png", 60, 50, 3));
    for (const auto& entry : fs::recursive_directory_iterator{folder_.path()})
      fs::permissions(entry.path(), fs::perms::all);
    fs::permissions(folder_.path(), fs::perms::all);
  }
  /// Ended after a minute: a hang.
  static void bound(pid_t child) {
    for (int i = 0; i < 600; ++i) {
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
  }
  ProgramResult upscale(const std::string& output, std::vector<std::string> words, std::function<void()> limits) const {
    ProgramOptions how;
    how.folder = folder_.path();
    how.before_start = std::move(limits);
    how.while_running = bound;
    words.insert(words.begin(), {"upscale", "a.png", "-o", output, "--model", "nets/blocks.param", "--ram", "1G"});
    return run(words, how);
  }
  static std::function<void()> processes(rlim_t count) {
    return [count, user = nobody_else()] {
      rlimit limit{};
      getrlimit(RLIMIT_NPROC, &limit);
      limit = {std::min(count, limit.rlim_max), std::min(count, limit.rlim_max)};
      if (setrlimit(RLIMIT_NPROC, &limit) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
        _exit(125);
    };
  }
  static std::function<void()> at_most(int resource, rlim_t value) {
    return [resource, value] {
      const rlimit limit{value, value};
      setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
    };
  }
  bool can_be_another_user() const {
    return geteuid() == 0 && upscale("probe.png", {}, processes(RLIM_INFINITY)).status == 0;
  }
  /// Done, or ended with one line that names the limit, and nothing half-written.
  void expect_clear(const ProgramResult& ended, const fs::path& output, const std::string& what,
                    const std::string& names) {
    SCOPED_TRACE(what + ": status " + std::to_string(ended.status) + "\n" + ended.error);
    EXPECT_TRUE(ended.status == 0 || ended.status == 1 || ended.status == 3);
    EXPECT_EQ(fs::exists(folder_ / output), ended.status == 0);
    if (ended.status != 0) {
      EXPECT_TRUE(ended.error_contains(names));
    }
    EXPECT_FALSE(ended.error_contains("an internal error of weir"));
    EXPECT_FALSE(ended.error_contains("terminate called"));
    for (const auto& entry : fs::directory_iterator{folder_.path()})
      EXPECT_EQ(entry.path().native().find(".part"), std::string::npos) << entry.path();
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder_.path()}) {
      if (entry.path().filename() != "a.png" && entry.path().filename() != "nets")
        fs::remove_all(entry.path(), ignored);
    }
  }

  Folder folder_;
};

TEST_F(CliLimits, TooFewProcessesAreFewerThreadsOrOneLine) {
  if (!can_be_another_user()) GTEST_SKIP() << "the program cannot be run as another user here";
  const ProgramResult free = upscale("free.png", {"--threads", "8"}, {});
  ASSERT_EQ(free.status, 0) << free.error;
  bool went_on_with_fewer = false;
  for (const char* format : {"png", "jpg", "webp", "tiff", "avif", "jxl"}) {
    for (rlim_t count = 1; count <= 10; ++count) {
      const std::string output = std::string{"out."} + format;
      const ProgramResult ended = upscale(output, {"--threads", "8"}, processes(count));
      went_on_with_fewer =
          went_on_with_fewer || (ended.status == 0 && ended.error_contains("the work goes on with fewer"));
      expect_clear(ended, output, output + " with " + std::to_string(count), "(ulimit -u)");
    }
  }
  EXPECT_TRUE(went_on_with_fewer);
}

TEST_F(CliLimits, WorkersThatCannotStartAreOneLine) {
  if (!can_be_another_user()) GTEST_SKIP() << "the program cannot be run as another user here";
  for (rlim_t count = 1; count <= 10; ++count) {
    const ProgramResult ended =
        upscale("out/", {"--threads", "4", "--device", "cpu:0,cpu:1", "--metrics", "127.0.0.1:0"}, processes(count));
    const bool done = ended.status == 0;
    EXPECT_EQ(fs::exists(folder_ / "out" / "a.png"), done) << count << ended.error;
    expect_clear(ended, done ? "out" : "no such", "two workers with " + std::to_string(count), "(ulimit -u)");
  }
}

TEST_F(CliLimits, TooFewFilesAreOneLine) {
  for (rlim_t count = 3; count <= 12; ++count) {
    const ProgramResult ended = upscale("out.png", {}, at_most(RLIMIT_NOFILE, count));
    SCOPED_TRACE(std::to_string(count) + " files: status " + std::to_string(ended.status) + "\n" + ended.error);
    if (ended.status == 127) continue;  // the program itself could not be loaded
    expect_clear(ended, "out.png", std::to_string(count) + " files", "");
  }
}

TEST_F(CliLimits, TooLittleAddressSpaceIsOneLine) {
  for (rlim_t megabytes = 100; megabytes <= 700; megabytes += 50) {
    const ProgramResult ended = upscale("out.png", {}, at_most(RLIMIT_AS, megabytes << 20));
    SCOPED_TRACE(std::to_string(megabytes) + " MB: status " + std::to_string(ended.status) + "\n" + ended.error);
    if (ended.status == 127 || ended.error.find("error while loading") != std::string::npos) continue;
    expect_clear(ended, "out.png", std::to_string(megabytes) + " MB", "");
  }
}

}  // namespace
}  // namespace weir::test
