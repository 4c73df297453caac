#pragma once

// Runs the built program as a user would: words, environment, folder, standard streams, signals.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "folder.hpp"
#include "places.hpp"

namespace weir::test {

namespace fs = std::filesystem;

struct Ended {
  int status = -1;  ///< exit status; 128 + signal if one ended it
  std::string out, error;
  double seconds = 0;

  std::size_t error_lines() const { return static_cast<std::size_t>(std::count(error.begin(), error.end(), '\n')); }
  bool says(const std::string& text) const { return error.find(text) != std::string::npos; }
};

struct How {
  fs::path program = places::program();
  fs::path folder{};                                             ///< working folder
  std::string input{};                                           ///< standard input
  std::vector<std::pair<std::string, std::string>> variables{};  ///< beside an otherwise clean environment
  bool close_output = false;                                     ///< started with standard output closed
  fs::path output_file{};                                        ///< standard output goes there
  std::uintmax_t largest_file = 0;                               ///< files may not grow beyond it: a full disk
  bool keep_input_open = false;                                  ///< standard input never ends
  bool terminal = false;                                         ///< standard error is a terminal
  bool broken_output = false;                                    ///< standard output is a pipe that nobody reads
  bool ignore_sigchld = false;                                   ///< as some daemons start their children
  std::function<void(pid_t)> meanwhile{};                        ///< called while it runs
  std::function<void()> limits{};                                ///< called in its process before it starts
};

namespace detail {

struct Pipe {
  int ends[2] = {-1, -1};
  explicit Pipe(bool terminal = false) {
    if (!terminal && pipe2(ends, O_CLOEXEC) != 0) std::abort();
    if (terminal) open_terminal();
  }
  /// The reading end of a terminal is its master.
  void open_terminal() {
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[0] < 0 || grantpt(ends[0]) != 0 || unlockpt(ends[0]) != 0) std::abort();
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[1] < 0) std::abort();
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(int end) {
    if (ends[end] >= 0) close(ends[end]);
    ends[end] = -1;
  }
};

inline std::string read_all(int descriptor) {
  std::string text;
  char piece[65536];
  for (ssize_t got = 0; (got = read(descriptor, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<std::size_t>(got));
  return text;
}

[[noreturn]] inline void become_program(const std::vector<std::string>& words, const How& how, int in, int out,
                                        int error) {
  dup2(in, 0);
  if (!how.output_file.empty())
    dup2(open(how.output_file.c_str(), O_WRONLY), 1);
  else if (how.close_output)
    close(1);
  else
    dup2(out, 1);
  dup2(error, 2);
  if (how.largest_file > 0) {
    const rlimit limit{how.largest_file, how.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (how.ignore_sigchld) signal(SIGCHLD, SIG_IGN);
  if (!how.folder.empty() && chdir(how.folder.c_str()) != 0) _exit(126);
  std::vector<std::string> variables;
  for (const auto& [name, value] : how.variables) variables.push_back(name + "=" + value);
  for (const char* common : {"HOME=/nonexistent", "LC_ALL=C.UTF-8"})
    variables.emplace_back(common);  // the first counts
  std::vector<char*> argv{const_cast<char*>(how.program.c_str())};
  std::vector<char*> environment;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  for (const auto& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  if (how.limits) how.limits();
  execve(how.program.c_str(), argv.data(), environment.data());
  _exit(127);
}

}  // namespace detail

/// Runs `weir WORDS...` to its end.
inline Ended run(const std::vector<std::string>& words, const How& how = {}) {
  detail::Pipe in;
  detail::Pipe out;
  detail::Pipe error{how.terminal};
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) detail::become_program(words, how, in.ends[0], out.ends[1], error.ends[1]);
  in.close_end(0);
  out.close_end(1);
  error.close_end(1);
  if (how.broken_output) out.close_end(0);
  Ended ended;
  {
    signal(SIGPIPE, SIG_IGN);
    const std::jthread feed{[&] {
      for (std::size_t done = 0; done < how.input.size();) {
        const ssize_t wrote = write(in.ends[1], how.input.data() + done, how.input.size() - done);
        if (wrote <= 0) break;
        done += static_cast<std::size_t>(wrote);
      }
      if (!how.keep_input_open) in.close_end(1);
    }};
    const std::jthread read_out{[&] { ended.out = out.ends[0] < 0 ? std::string{} : detail::read_all(out.ends[0]); }};
    const std::jthread read_error{[&] { ended.error = detail::read_all(error.ends[0]); }};
    if (how.meanwhile) how.meanwhile(child);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return ended;
}

inline bool writes_into(const fs::path& process, const fs::path& folder) {
  std::error_code gone;
  for (fs::directory_iterator at{process / "fd", gone}, end; !gone && at != end; at.increment(gone)) {
    const fs::path target = fs::read_symlink(at->path(), gone);
    if (gone || !target.native().starts_with(folder.native() + "/") ||
        target.native().find("/.weir/") != std::string::npos)
      continue;
    std::ifstream info_file{process / "fdinfo" / at->path().filename()};
    std::string key;
    std::string flags;
    while (info_file >> key && key != "flags:") continue;
    if (info_file >> flags && (flags.back() == '1' || flags.back() == '2')) return true;
  }
  return false;
}

/// The processes that a process has started and that live.
inline std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  const fs::path tasks = fs::path{"/proc"} / std::to_string(process) / "task" / std::to_string(process) / "children";
  std::ifstream list{tasks};
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

/// True once the condition holds; false, and the test has failed, if it does not within a minute: what a busy machine or
/// a sanitizer makes slow is not taken for a fault.
inline bool eventually(const std::function<bool()>& holds) {
  for (int tries = 0; tries < 12000; ++tries) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  ADD_FAILURE() << "what the test waits for did not come within a minute";
  return false;
}

/// Waits until the process, or one that it started, has a file of the folder open for writing that is no state of a run.
inline bool wait_until_it_writes(pid_t child, const fs::path& folder) {
  for (int tries = 0; tries < 10000; ++tries) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
      return false;
    std::vector<pid_t> all = children_of(child);
    all.push_back(child);
    for (const pid_t process : all) {
      if (writes_into(fs::path{"/proc"} / std::to_string(process), folder)) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return false;
}

}  // namespace weir::test
