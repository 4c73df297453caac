// Tests of the built program under limits of the system on processes, open files and address space. It must work, perhaps
// with fewer threads, or end with one clear line on standard error; it must not hang, abort or crash.

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

/// Returns the id of a user without processes, another one at each call: the limit counts all processes of a user, and
/// tests run in parallel. A program of a user above the limit is not even started (EAGAIN in execve(2)).
uid_t unused_user() {
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
  /// Kills the program after a minute, since it hangs then.
  static void kill_after_a_minute(pid_t child) {
    for (int i = 0; i < 600; ++i) {
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
  }
  ProgramResult upscale(const std::string& output, std::vector<std::string> arguments,
                        std::function<void()> limits) const {
    ProgramOptions options;
    options.folder = folder_.path();
    options.before_start = std::move(limits);
    options.while_running = kill_after_a_minute;
    arguments.insert(arguments.begin(),
                     {"upscale", "a.png", "-o", output, "--model", "nets/blocks.param", "--ram", "1G"});
    return run(arguments, options);
  }
  /// Returns a function that changes to a user without processes who may have `count` processes.
  static std::function<void()> processes(rlim_t count) {
    return [count, user = unused_user()] {
      rlimit limit{};
      getrlimit(RLIMIT_NPROC, &limit);
      limit = {std::min(count, limit.rlim_max), std::min(count, limit.rlim_max)};
      if (setrlimit(RLIMIT_NPROC, &limit) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
        _exit(125);
    };
  }
  /// Returns a function that limits a resource of setrlimit(2).
  static std::function<void()> at_most(int resource, rlim_t value) {
    return [resource, value] {
      const rlimit limit{value, value};
      setrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
    };
  }
  bool can_run_as_another_user() const {
    return geteuid() == 0 && upscale("probe.png", {}, processes(RLIM_INFINITY)).status == 0;
  }
  /// Expects that the program did its work, or ended with an error that contains `limit` and without the output. Then
  /// removes all files but the inputs. `what`: description of the run.
  void expect_done_or_clear_error(const ProgramResult& result, const fs::path& output, const std::string& what,
                                  const std::string& limit) {
    SCOPED_TRACE(what + ": status " + std::to_string(result.status) + "\n" + result.error);
    EXPECT_TRUE(result.status == 0 || result.status == 1 || result.status == 3);
    EXPECT_EQ(fs::exists(folder_ / output), result.status == 0);
    if (result.status != 0) {
      EXPECT_TRUE(result.error_contains(limit));
    }
    EXPECT_FALSE(result.error_contains("an internal error of weir"));
    EXPECT_FALSE(result.error_contains("terminate called"));
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

TEST_F(CliLimits, ATooSmallLimitOfProcessesMeansFewerThreadsOrAClearError) {
  if (!can_run_as_another_user()) GTEST_SKIP() << "the program cannot be run as another user here";
  const ProgramResult unlimited = upscale("unlimited.png", {"--threads", "8"}, {});
  ASSERT_EQ(unlimited.status, 0) << unlimited.error;
  bool used_fewer_threads = false;
  for (const char* format : {"png", "jpg", "webp", "tiff", "avif", "jxl"}) {
    for (rlim_t count = 1; count <= 10; ++count) {
      const std::string output = std::string{"out."} + format;
      const ProgramResult result = upscale(output, {"--threads", "8"}, processes(count));
      used_fewer_threads =
          used_fewer_threads || (result.status == 0 && result.error_contains("the work goes on with fewer"));
      expect_done_or_clear_error(result, output, output + " with " + std::to_string(count), "(ulimit -u)");
    }
  }
  EXPECT_TRUE(used_fewer_threads);
}

TEST_F(CliLimits, WorkersThatCannotStartAreAClearError) {
  if (!can_run_as_another_user()) GTEST_SKIP() << "the program cannot be run as another user here";
  for (rlim_t count = 1; count <= 10; ++count) {
    const ProgramResult result =
        upscale("out/", {"--threads", "4", "--device", "cpu:0,cpu:1", "--metrics", "127.0.0.1:0"}, processes(count));
    const bool done = result.status == 0;
    EXPECT_EQ(fs::exists(folder_ / "out" / "a.png"), done) << count << result.error;
    expect_done_or_clear_error(result, done ? "out" : "no such", "two workers with " + std::to_string(count),
                               "(ulimit -u)");
  }
}

TEST_F(CliLimits, ATooSmallLimitOfOpenFilesIsAClearError) {
  for (rlim_t count = 3; count <= 12; ++count) {
    const ProgramResult result = upscale("out.png", {}, at_most(RLIMIT_NOFILE, count));
    SCOPED_TRACE(std::to_string(count) + " files: status " + std::to_string(result.status) + "\n" + result.error);
    if (result.status == 127) continue;  // the program itself could not be loaded
    expect_done_or_clear_error(result, "out.png", std::to_string(count) + " files", "");
  }
}

TEST_F(CliLimits, TooLittleAddressSpaceIsAClearError) {
  for (rlim_t megabytes = 100; megabytes <= 700; megabytes += 50) {
    const ProgramResult result = upscale("out.png", {}, at_most(RLIMIT_AS, megabytes << 20));
    SCOPED_TRACE(std::to_string(megabytes) + " MB: status " + std::to_string(result.status) + "\n" + result.error);
    if (result.status == 127 || result.error.find("error while loading") != std::string::npos) continue;
    expect_done_or_clear_error(result, "out.png", std::to_string(megabytes) + " MB", "");
  }
}

}  // namespace
}  // namespace weir::test
