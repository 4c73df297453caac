#include "device/command_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.hpp"
#include "device/descendants.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;

/// The environment of the child, made before the fork: nothing may be allocated after it.
std::vector<std::string> make_environment(const EnvironmentChanges& changes, const std::string& mark) {
  EnvironmentChanges all = changes;
  all.emplace_back(kMarkVariable, mark);
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view variable{*at};
    const std::string_view name = variable.substr(0, variable.find('='));
    if (std::none_of(all.begin(), all.end(), [&](const auto& change) { return change.first == name; }))
      variables.emplace_back(variable);
  }
  for (const auto& [name, value] : all)
    if (!value.empty()) variables.push_back(fmt::format("{}={}", name, value));
  return variables;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

/// Between fork and exec, with calls that are allowed there.
[[noreturn]] void become(const Command& command, char* const* words, char* const* variables, int report, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(125);  // it died before the line above
  if (command.own_group) ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_DFL);  // NOLINT(cert-err33-c)
  if (command.input >= 0) ::dup2(command.input, 0);
  if (command.output >= 0) ::dup2(command.output, 1);
  if (command.error >= 0) ::dup2(command.error, 2);
  ::execvpe(words[0], words, variables);
  const int problem = errno;
  (void)!::write(report, &problem, sizeof problem);
  ::_exit(127);
}

}  // namespace

int start_status(const Error& error) { return error.what.find(std::strerror(ENOENT)) != std::string::npos ? 127 : 126; }

Result<CommandProcess> CommandProcess::start(const Command& command) {
  if (command.words.empty() || command.words.front().empty())
    return Error{Errc::invalid_argument, "no command is given; write it after --"};
  adopt_orphans();
  std::vector<pid_t> others = children_of(::getpid());
  const std::string mark = new_mark();
  const auto variables = make_environment(command.environment, mark);
  const auto variable_pointers = pointers(variables);
  const auto word_pointers = pointers(command.words);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "make a pipe: " + errno_text(errno)};
  const FileDescriptor in{ends[0]};
  FileDescriptor out{ends[1]};
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return Error{Errc::io, "start a process: " + errno_text(errno)};
  if (child == 0) become(command, word_pointers.data(), variable_pointers.data(), out.get(), parent);
  out = FileDescriptor{};
  int problem = 0;
  ssize_t got = 0;
  do got = ::read(in.get(), &problem, sizeof problem);
  while (got < 0 && errno == EINTR);
  if (got == sizeof problem) {
    ::waitpid(child, nullptr, 0);
    return Error{Errc::invalid_argument,
                 fmt::format("{}: cannot be run: {}", printable(command.words.front()), errno_text(problem))};
  }
  return CommandProcess{child, mark, std::move(others)};
}

CommandProcess::CommandProcess(CommandProcess&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)},
      mark_{std::move(other.mark_)},
      others_{std::move(other.others_)},
      started_{other.started_} {}

CommandProcess::~CommandProcess() {
  if (pid_ < 0) return;
  end_all();
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::vector<pid_t> CommandProcess::all_pids() const {
  auto pids = find_marked(kMarkVariable, mark_);
  for (const pid_t pid : find_descendants(::getpid(), others_))
    if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
  return pids;
}

std::vector<EndedProcess> CommandProcess::end_all() {
  return end_processes([&] {
    reap_adopted();
    return all_pids();
  });
}

/// Orphans that ended: as their new parent we are the one to wait for them.
void CommandProcess::reap_adopted() const {
  for (const pid_t child : children_of(::getpid())) {
    const bool known = child == pid_ || std::find(others_.begin(), others_.end(), child) != others_.end();
    if (!known) ::waitpid(child, nullptr, WNOHANG);
  }
}

void CommandProcess::send(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

CommandEnd CommandProcess::wait(std::optional<std::chrono::milliseconds> limit, const std::stop_token& stop,
                                std::chrono::milliseconds pause, const std::function<void()>& tick) {
  CommandEnd end;
  int status = 0;
  rusage use{};
  auto nap = std::chrono::milliseconds{1};
  for (auto next_tick = started_; ::wait4(pid_, &status, WNOHANG, &use) == 0;) {
    const auto now = Clock::now();
    end.timed_out = limit && now - started_ > *limit;
    end.stopped = stop.stop_requested();
    if (end.timed_out || end.stopped) {
      end_all();
      ::kill(pid_, SIGKILL);  // if it hid from the search
      ::wait4(pid_, &status, 0, &use);
      break;
    }
    if (tick && now >= next_tick) {
      tick();
      reap_adopted();
      next_tick = now + pause;
    }
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::milliseconds{20});
  }
  end.took = Clock::now() - started_;
  end.peak = Bytes{static_cast<std::uint64_t>(std::max(use.ru_maxrss, 0L))} * 1024;  // getrusage(2): in KiB
  end.left_behind = end_all();
  reap_adopted();
  pid_ = -1;
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.status = end.signal != 0 ? 128 + end.signal : WEXITSTATUS(status);
  return end;
}

}  // namespace weir::device
