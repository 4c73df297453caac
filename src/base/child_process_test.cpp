#include "base/child_process.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <thread>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process_stat.hpp"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLong = std::chrono::seconds{60};

/// Returns the options for a child that runs a shell command.
ChildOptions shell(const std::string& text) {
  ChildOptions options;
  options.arguments = {"/bin/sh", "-c", text};
  return options;
}

/// Starts the child and waits for its result.
std::optional<ChildResult> run(const ChildOptions& options) {
  auto child = ChildProcess::start(options);
  if (!child) {
    ADD_FAILURE() << child.error().what;
    return std::nullopt;
  }
  return child->wait_until(Clock::now() + kLong);
}

/// Ignores SIGCHLD while it exists; the destructor restores the earlier action.
struct IgnoredSigchld {
  IgnoredSigchld() { sigaction(SIGCHLD, &ignore, &before); }
  ~IgnoredSigchld() { sigaction(SIGCHLD, &before, nullptr); }
  IgnoredSigchld(const IgnoredSigchld&) = delete;
  IgnoredSigchld& operator=(const IgnoredSigchld&) = delete;
  struct sigaction before {};
  struct sigaction ignore = [] {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    return action;
  }();
};

TEST(ChildProcess, ReportsStatusAndSignal) {
  EXPECT_EQ(run(shell("exit 7"))->status, 7);
  const auto killed = run(shell("kill -TERM $$"));
  EXPECT_EQ(killed->signal, SIGTERM);
  EXPECT_EQ(killed->status, 128 + SIGTERM);
  EXPECT_EQ(describe(*killed), "killed by signal 15");
  EXPECT_GT(killed->peak_resident, Bytes{});
}

TEST(ChildProcess, AForkedFunctionLoadsLibrariesDespiteOtherThreads) {
  // If the thread held a lock of the loader at the fork, the child would wait for it forever.
  const char* const library = "libgomp.so.1";  // part of GCC; weir does not use it
  void* const there = dlopen(library, RTLD_NOW);
  if (there == nullptr) GTEST_SKIP() << "there is no " << library;
  dlclose(there);
  std::jthread loads{[&](const std::stop_token& end) {
    while (!end.stop_requested()) {
      if (void* const one = dlopen(library, RTLD_NOW)) dlclose(one);
    }
  }};
  for (int i = 0; i < 300; ++i) {
    auto child = ChildProcess::fork_function({}, [&] { return dlopen(library, RTLD_NOW) != nullptr ? 5 : 6; });
    ASSERT_TRUE(child) << child.error().what;
    const auto end = child->wait_until(Clock::now() + std::chrono::seconds{20});
    ASSERT_TRUE(end) << "fork " << i;
    ASSERT_EQ(end->status, 5);
  }
}

TEST(ChildProcess, TheStatusArrivesWhereSigchldWasIgnored) {
  const IgnoredSigchld ignored;
  EXPECT_EQ(run(shell("exit 7"))->status, 7);
  EXPECT_EQ(run(shell("sh -c 'exit 5'; exit $?"))->status, 5) << "the child must not inherit that it is ignored";
}

TEST(ChildProcess, AStatusTakenByOtherCodeIsNoSuccess) {
  auto child = ChildProcess::start(shell("exit 0"));
  ASSERT_TRUE(child);
  waitpid(child->pid(), nullptr, 0);
  const auto end = child->wait_until(Clock::now() + kLong);
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->status_known);
  EXPECT_NE(end->status, 0);
}

TEST(ChildProcess, WaitsNoLongerThanAsked) {
  auto child = ChildProcess::start({.arguments = {"sleep", "1000"}});
  ASSERT_TRUE(child);
  EXPECT_FALSE(child->poll());
  EXPECT_FALSE(child->wait_until(Clock::now() + std::chrono::milliseconds{20}));
  EXPECT_FALSE(child->wait_for_exit(Clock::now()));
  child->send_signal(SIGKILL);
  EXPECT_TRUE(child->wait_for_exit(Clock::now() + kLong));
  EXPECT_EQ(child->wait_until(Clock::now() + kLong)->signal, SIGKILL);
  EXPECT_EQ(child->poll()->signal, SIGKILL) << "a second call returns the same result";
}

TEST(ChildProcess, ReportsWhyItCannotStart) {
  const auto missing = ChildProcess::start({.arguments = {"no-such-program"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(start_failure_status(missing.error()), 127);
  const auto forbidden = ChildProcess::start({.arguments = {"/etc/passwd"}});
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(start_failure_status(forbidden.error()), 126);
  ChildOptions nowhere = shell("true");
  nowhere.folder = "/no/such/folder";
  const auto lost = ChildProcess::start(nowhere);
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().what.find("/no/such/folder"), std::string::npos) << lost.error().what;
  EXPECT_EQ(start_failure_status(lost.error()), 125) << "the program exists";
}

TEST(ChildProcess, InheritsOnlyTheGivenDescriptors) {
  const int kept = dup(2);    // without O_CLOEXEC, like descriptors of a library or of the user
  const int passed = dup(2);  // NOLINT(android-cloexec-dup)
  // The shell exits with 0 if it has the descriptor `kept`, else with 1.
  ChildOptions options = shell("test -e /proc/self/fd/" + std::to_string(kept));
  EXPECT_EQ(run(options)->status, 1);
  options.inherited_descriptors = {kept};
  EXPECT_EQ(run(options)->status, 0);
  options.inherited_descriptors = {passed};
  EXPECT_EQ(run(options)->status, 1);
  options.inherited_descriptors = {};
  options.other_descriptors = OtherDescriptors::keep_inheritable;
  EXPECT_EQ(run(options)->status, 0);
  close(kept);
  close(passed);
}

TEST(ChildProcess, SignalsItsWholeProcessGroup) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ChildOptions options = shell("sleep 1000 & echo; wait");
  options.own_process_group = true;
  options.stdout_fd = ends[1];
  auto child = ChildProcess::start(options);
  ASSERT_TRUE(child);
  close(ends[1]);
  char byte = 0;
  ASSERT_EQ(read(ends[0], &byte, 1), 1);
  child->send_signal_to_group(SIGKILL);
  EXPECT_EQ(read(ends[0], &byte, 1), 0) << "no process holds the pipe any more";
  close(ends[0]);
}

TEST(ChildProcess, ABlockedSignalIsNotBlockedInTheChild) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  EXPECT_EQ(run(shell("kill -TERM $$; exit 0"))->signal, SIGTERM);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(ChildProcess, AFunctionsResultIsTheStatus) {
  auto child = ChildProcess::fork_function({.arguments = {}, .environment = {{"WEIR_TEST", "x"}}},
                                           [] { return getenv("WEIR_TEST") != nullptr ? 3 : 4; });
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait_until(Clock::now() + kLong)->status, 3);
}

TEST(ChildProcess, TheDestructorKillsTheChild) {
  pid_t pid = -1;
  {
    auto child = ChildProcess::start({.arguments = {"sleep", "1000"}});
    ASSERT_TRUE(child);
    pid = child->pid();
    EXPECT_TRUE(read_process_stat(pid));
  }
  EXPECT_FALSE(read_process_stat(pid));
}

}  // namespace
}  // namespace weir
