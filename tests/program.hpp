#pragma once

// Runs the built program as a user does: with arguments, environment, working folder, standard streams and signals.

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

/// The result of a program that has ended.
struct ProgramResult {
  int status = -1;         ///< exit status; 128 + number of the signal if a signal ended the program
  std::string out, error;  ///< standard output and standard error
  double seconds = 0;      ///< wall time

  /// Returns the number of lines on standard error.
  std::size_t error_lines() const { return static_cast<std::size_t>(std::count(error.begin(), error.end(), '\n')); }
  bool error_contains(const std::string& text) const { return error.find(text) != std::string::npos; }
};

/// How to run a program. By default its standard output and error are pipes that the test reads.
struct ProgramOptions {
  fs::path program = places::program();
  fs::path folder{};    ///< working folder
  std::string input{};  ///< text that is written to standard input
  /// The environment. HOME and LC_ALL are set if they are missing here.
  std::vector<std::pair<std::string, std::string>> variables{};
  bool close_output = false;          ///< standard output is closed when the program starts
  fs::path output_file{};             ///< file that standard output is written to; it must exist
  std::uintmax_t max_file_bytes = 0;  ///< size limit of files that the program writes, as on a full disk; 0: no limit
  bool keep_input_open = false;       ///< standard input does not end after `input`, but stays open until run() returns
  bool terminal = false;              ///< standard error is a terminal
  bool broken_output = false;         ///< standard output is a pipe whose reading end is closed
  bool ignore_sigchld = false;        ///< SIGCHLD is ignored, as some daemons start their children
  std::function<void(pid_t)> while_running{};  ///< called once with the process id while the program runs
  std::function<void()> before_start{};        ///< called in the child process, before exec
};

namespace detail {

/// A pipe, or a pseudo-terminal. ends[0] is the end that is read from, ends[1] the end that is written to; both are
/// file descriptors, -1 after they are closed.
struct Pipe {
  int ends[2] = {-1, -1};
  explicit Pipe(bool terminal = false) {
    if (!terminal && pipe2(ends, O_CLOEXEC) != 0) std::abort();
    if (terminal) open_terminal();
  }
  /// Opens a pseudo-terminal; ends[0] is its master.
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

/// Runs the program in this (child) process: sets up its streams, limits and environment, and calls exec. `in`, `out`
/// and `error` are file descriptors.
[[noreturn]] inline void become_program(const std::vector<std::string>& arguments, const ProgramOptions& options,
                                        int in, int out, int error) {
  dup2(in, 0);
  if (!options.output_file.empty())
    dup2(open(options.output_file.c_str(), O_WRONLY), 1);
  else if (options.close_output)
    close(1);
  else
    dup2(out, 1);
  dup2(error, 2);
  if (options.max_file_bytes > 0) {
    const rlimit limit{options.max_file_bytes, options.max_file_bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (options.ignore_sigchld) signal(SIGCHLD, SIG_IGN);
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  std::vector<std::string> variables;
  for (const auto& [name, value] : options.variables) variables.push_back(name + "=" + value);
  for (const char* common : {"HOME=/nonexistent", "LC_ALL=C.UTF-8"})
    variables.emplace_back(common);  // the first entry with a name is the one that counts
  std::vector<char*> argv{const_cast<char*>(options.program.c_str())};
  std::vector<char*> environment;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  for (const auto& variable : variables) environment.push_back(const_cast<char*>(variable.c_str()));
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  if (options.before_start) options.before_start();
  execve(options.program.c_str(), argv.data(), environment.data());
  _exit(127);
}

}  // namespace detail

/// Runs the program (weir by default) with these arguments and waits until it ends.
inline ProgramResult run(const std::vector<std::string>& arguments, const ProgramOptions& options = {}) {
  detail::Pipe in;
  detail::Pipe out;
  detail::Pipe error{options.terminal};
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) detail::become_program(arguments, options, in.ends[0], out.ends[1], error.ends[1]);
  in.close_end(0);
  out.close_end(1);
  error.close_end(1);
  if (options.broken_output) out.close_end(0);
  ProgramResult result;
  {
    signal(SIGPIPE, SIG_IGN);
    const std::jthread feed{[&] {
      for (std::size_t done = 0; done < options.input.size();) {
        const ssize_t wrote = write(in.ends[1], options.input.data() + done, options.input.size() - done);
        if (wrote <= 0) break;
        done += static_cast<std::size_t>(wrote);
      }
      if (!options.keep_input_open) in.close_end(1);
    }};
    const std::jthread read_out{[&] { result.out = out.ends[0] < 0 ? std::string{} : detail::read_all(out.ends[0]); }};
    const std::jthread read_error{[&] { result.error = detail::read_all(error.ends[0]); }};
    if (options.while_running) options.while_running(child);
  }
  int status = 0;
  waitpid(child, &status, 0);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Returns true if a process has a file below `folder` open for writing. `process` is its folder in /proc. Files in
/// .weir folders, where runs store their state, do not count.
inline bool has_open_output(const fs::path& process, const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator at{process / "fd", error}, end; !error && at != end; at.increment(error)) {
    const fs::path target = fs::read_symlink(at->path(), error);
    if (error || !target.native().starts_with(folder.native() + "/") ||
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

/// Returns the ids of the child processes that the main thread of a process has started and that still exist.
inline std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  const fs::path tasks = fs::path{"/proc"} / std::to_string(process) / "task" / std::to_string(process) / "children";
  std::ifstream list{tasks};
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

/// Waits until the condition is true, at most a minute: on a busy machine, or with a sanitizer, programs are slow. If
/// the time is over, the test fails and the function returns false.
inline bool wait_until(const std::function<bool()>& condition) {
  for (int tries = 0; tries < 12000; ++tries) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  ADD_FAILURE() << "the condition that the test waits for was false for a minute";
  return false;
}

/// Waits until the process or one of its children has a file below the folder open for writing (see has_open_output()).
/// Returns false if the process ends before, or after 20 seconds.
inline bool wait_until_writing(pid_t child, const fs::path& folder) {
  for (int tries = 0; tries < 10000; ++tries) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
      return false;
    std::vector<pid_t> all = children_of(child);
    all.push_back(child);
    for (const pid_t process : all) {
      if (has_open_output(fs::path{"/proc"} / std::to_string(process), folder)) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return false;
}

}  // namespace weir::test
