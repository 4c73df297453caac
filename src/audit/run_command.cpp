#include "audit/run_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"

extern char** environ;

namespace weir::audit {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostOutput = 4U << 20U;

struct Pipe {
  FileDescriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "cannot make a pipe: " + errno_text(errno)};
  return Pipe{FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
}

struct Actions {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  Actions() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

Result<pid_t> start(const CommandRequest& request, int input, int output) {
  Actions actions;
  posix_spawn_file_actions_adddup2(&actions.files, input, 0);
  posix_spawn_file_actions_adddup2(&actions.files, output, 1);
  posix_spawn_file_actions_adddup2(&actions.files, output, 2);
  if (!request.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions.files, request.folder.c_str());
  // A group of its own, so that all that it starts can be ended; signals as they are by default.
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setpgroup(&actions.attributes, 0);
  posix_spawnattr_setsigdefault(&actions.attributes, &all);
  posix_spawnattr_setsigmask(&actions.attributes, &none);
  posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> words = request.words;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = -1;
  const int problem = posix_spawnp(&child, argv[0], &actions.files, &actions.attributes, argv.data(), environ);
  if (problem != 0)
    return Error{Errc::io, fmt::format("cannot start '{}': {}", printable(request.words.front()), errno_text(problem))};
  return child;
}

/// Feeds the input and gathers the output until the program closes it or the time is over; true: it is over.
bool talk(const CommandRequest& request, FileDescriptor& input, const FileDescriptor& output, Clock::time_point end,
          std::string& gathered) {
  std::string_view rest = request.input;
  if (rest.empty()) input = FileDescriptor{};
  std::array<char, 65536> buffer{};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return true;
    std::array<pollfd, 2> wait{pollfd{output.get(), POLLIN, 0}, pollfd{input.get(), POLLOUT, 0}};
    if (::poll(wait.data(), input ? 2 : 1, static_cast<int>(std::min<long>(left, 1000))) < 0 && errno != EINTR)
      return false;
    if (input && wait[1].revents != 0) {
      const ssize_t count = ::write(input.get(), rest.data(), rest.size());
      if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
      if ((count < 0 && errno != EINTR && errno != EAGAIN) || rest.empty()) input = FileDescriptor{};
    }
    if (wait[0].revents != 0) {
      const ssize_t count = ::read(output.get(), buffer.data(), buffer.size());
      if (count == 0 || (count < 0 && errno != EINTR)) return false;
      if (count > 0)
        gathered.append(buffer.data(), std::min(static_cast<std::size_t>(count), kMostOutput - gathered.size()));
    }
  }
}

/// Waits for the end; a program that closed its output and goes on is ended when its time is over.
int reap(pid_t child, Clock::time_point end, bool& timed_out) {
  int status = 0;
  while (!timed_out) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) break;
    if (Clock::now() >= end) timed_out = true;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  ::kill(-child, SIGKILL);  // what it may have left behind
  if (timed_out) {
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<CommandEnded> run_command(const CommandRequest& request) {
  auto in = make_pipe();
  auto out = make_pipe();
  if (!in) return in.error();
  if (!out) return out.error();
  ::fcntl(in->write.get(), F_SETFL, O_NONBLOCK);
  const auto begin = Clock::now();
  auto child = start(request, in->read.get(), out->write.get());
  if (!child) return child.error();
  in->read = FileDescriptor{};
  out->write = FileDescriptor{};
  CommandEnded ended;
  ended.timed_out = talk(request, in->write, out->read, begin + request.limit, ended.output);
  ended.status = reap(*child, begin + request.limit, ended.timed_out);
  ended.time = Clock::now() - begin;
  return ended;
}

const std::optional<std::string>& python_program() {
  static const std::optional<std::string> kProgram = []() -> std::optional<std::string> {
    for (const char* name : {"python3", "python"}) {
      const auto ended = run_command({.words = {name, "-I", "-c", "import sys; sys.exit(sys.version_info[0] != 3)"},
                                      .limit = std::chrono::seconds{20}});
      if (ended && ended->status == 0) return name;
    }
    return std::nullopt;
  }();
  return kProgram;
}

}  // namespace weir::audit
