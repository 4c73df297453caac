#include "jobs/worker_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

#include <fmt/format.h>

#include "base/system_memory.hpp"

extern char** environ;

namespace weir::jobs {
namespace {

/// Everything that the child needs, made before the fork: between fork and exec only plain system calls are allowed.
struct Launch {
  std::vector<std::string> words, variables;
  std::vector<char*> argv, environment;
};

Launch prepare(const std::vector<std::string>& command, const WorkerDevice& device, int channel) {
  Launch launch;
  launch.words = command;
  launch.words.insert(launch.words.end(), {"--channel", std::to_string(channel)});
  launch.words.insert(launch.words.end(), device.arguments.begin(), device.arguments.end());
  for (const auto& [name, value] : device.environment) {
    if (!value.empty()) launch.variables.push_back(fmt::format("{}={}", name, value));
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text{*variable};
    const std::string name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [mask, value] : device.environment) replaced = replaced || mask == name;
    if (!replaced) launch.variables.push_back(text);
  }
  for (std::string& word : launch.words) launch.argv.push_back(word.data());
  for (std::string& variable : launch.variables) launch.environment.push_back(variable.data());
  launch.argv.push_back(nullptr);
  launch.environment.push_back(nullptr);
  return launch;
}

/// In the child. The parent may have died before the death signal was set.
[[noreturn]] void become_worker(const Launch& launch, int channel, const std::vector<int>& inherited, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);  // signals of the terminal are for the coordinator, which passes on what is to be passed on
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);  // results on standard output are the coordinator's
  fcntl(channel, F_SETFD, 0);
  for (const int fd : inherited) fcntl(fd, F_SETFD, 0);
  execve(launch.argv.front(), launch.argv.data(), launch.environment.data());
  _exit(127);
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

}  // namespace

Result<WorkerProcess> WorkerProcess::start(const std::vector<std::string>& command, const WorkerDevice& device,
                                           const std::vector<int>& inherited) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{Errc::io, fmt::format("a worker cannot be started: {}", errno_text(errno))};
  FileDescriptor ours{ends[0]};
  const FileDescriptor theirs{ends[1]};
  const Launch launch = prepare(command, device, theirs.get());
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return Error{Errc::io, fmt::format("a worker cannot be started: {}", errno_text(errno))};
  if (child == 0) become_worker(launch, theirs.get(), inherited, parent);
  setpgid(child, child);  // whoever of the two comes first
  return WorkerProcess{child, std::move(ours)};
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)},
      channel_{std::move(other.channel_)},
      frames_{std::move(other.frames_)},
      closed_{other.closed_},
      end_{std::move(other.end_)} {}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0 || reap()) return;
  signal(SIGKILL);
  // A process that waits in the kernel is left to init rather than waited for without end.
  for (int i = 0; i < 200 && !reap(); ++i) {
    const timespec pause{0, 2'000'000};
    nanosleep(&pause, nullptr);
  }
}

Status WorkerProcess::send(const Json& message) {
  const auto frame = to_frame(dump(message));
  if (!frame) return frame.error();
  const ssize_t sent = ::send(channel_.get(), frame->data(), frame->size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(frame->size())) return ok();
  return Error{Errc::io, sent < 0 ? errno_text(errno) : std::string{"the worker does not read"}};
}

Result<std::optional<Json>> WorkerProcess::receive() {
  for (;;) {
    auto message = frames_.next();
    if (!message) return message.error();
    if (*message) {
      auto json = parse_object(**message);
      if (!json) return json.error();
      return std::optional{*std::move(json)};
    }
    if (closed_) return Error{Errc::io, "the worker closed its channel"};
    char piece[16384];
    const ssize_t got = recv(channel_.get(), piece, sizeof piece, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<Json>{};
    closed_ = got <= 0;
    if (got > 0) frames_.feed({piece, static_cast<std::size_t>(got)});
  }
}

void WorkerProcess::signal(int number) const {
  if (pid_ > 0 && end_.empty()) kill(-pid_, number);
}

bool WorkerProcess::reap() {
  if (!end_.empty()) return true;
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
  end_ = ended < 0 ? "is gone" : describe(status);
  return true;
}

/// The third field of /proc/PID/stat, behind the name in parentheses: proc(5).
bool WorkerProcess::is_uninterruptible() const {
  const std::string stat = read_small_file(fmt::format("/proc/{}/stat", pid_));
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] == 'D';
}

}  // namespace weir::jobs
