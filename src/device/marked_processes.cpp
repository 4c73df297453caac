#include "device/marked_processes.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <random>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic_file.hpp"
#include "base/process_stat.hpp"
#include "base/small_file.hpp"
#include "base/text.hpp"
#include "device/process_identity.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

/// Returns the value of a variable. `environ`: the content of /proc/PID/environ, "A=1\0B=2\0".
std::optional<std::string_view> value_of(std::string_view environ, std::string_view variable) {
  while (!environ.empty()) {
    const std::size_t end = environ.find('\0');
    const std::string_view entry = environ.substr(0, end);
    if (entry.starts_with(variable) && entry.substr(variable.size()).starts_with('='))
      return entry.substr(variable.size() + 1);
    environ.remove_prefix(end == std::string_view::npos ? environ.size() : end + 1);
  }
  return std::nullopt;
}

constexpr auto kEndTimeout = std::chrono::seconds{5};  // time to end after SIGTERM, and again after SIGKILL
constexpr std::size_t kMaxListed = 5;                  // most processes in the text of describe()
constexpr std::size_t kMaxCommandTextBytes = 60;       // longest command in this text

/// A process to end.
class Target {
 public:
  explicit Target(pid_t pid)
      : process_{pid, program_name(pid), EndedProcess::EndState::terminated},
        pidfd_{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))} {}

  /// Sends SIGTERM at the first call, and SIGKILL when `waited` is at least kEndTimeout.
  void end(std::chrono::steady_clock::duration waited) {
    if (!signalled_) {
      send(SIGTERM);
      send(SIGCONT);  // a stopped process cannot end
      signalled_ = true;
    }
    if (waited < kEndTimeout) return;
    process_.end_state = waited < 2 * kEndTimeout ? EndedProcess::EndState::killed : EndedProcess::EndState::survived;
    send(SIGKILL);
  }
  bool signalled() const { return signalled_; }
  const EndedProcess& process() const { return process_; }

 private:
  /// Sends a signal through the pidfd; to the process id only if the kernel (before Linux 5.3) has no pidfd.
  void send(int signal) const {
    if (pidfd_)
      ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
    else
      ::kill(process_.pid, signal);
  }

  EndedProcess process_;
  FileDescriptor pidfd_;
  bool signalled_ = false;
};

std::string ended_process_text(const EndedProcess& process) {
  const char* how = process.end_state == EndedProcess::EndState::terminated ? ""
                    : process.end_state == EndedProcess::EndState::killed   ? " (killed: it did not end when asked)"
                                                                            : " (it cannot be ended)";
  return fmt::format("pid {} '{}'{}", process.pid, printable(process.command.substr(0, kMaxCommandTextBytes)), how);
}

}  // namespace

bool is_gone_or_zombie(pid_t pid, const fs::path& root) {
  const auto stat = read_process_stat(pid, root);
  return !stat || stat->state == 'Z';
}

void visit_processes_with_variable(std::string_view variable, const std::function<void(pid_t, std::string_view)>& visit,
                                   const fs::path& root) {
  std::error_code problem;
  for (fs::directory_iterator at{root / "proc", problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || rest != name.data() + name.size() || pid == ::getpid()) continue;
    const std::string environ = read_small_file(at->path() / "environ");
    if (const auto value = value_of(environ, variable); value && !is_gone_or_zombie(pid, root)) visit(pid, *value);
  }
}

std::vector<pid_t> find_marked(std::string_view variable, std::string_view value, const fs::path& root) {
  std::vector<pid_t> found;
  visit_processes_with_variable(
      variable,
      [&](pid_t pid, std::string_view other) {
        if (other == value) found.push_back(pid);
      },
      root);
  return found;
}

std::vector<EndedProcess> end_processes(const std::function<std::vector<pid_t>()>& find) {
  std::map<pid_t, Target> targets;
  const auto start = std::chrono::steady_clock::now();
  auto search_interval = std::chrono::milliseconds{2};
  for (auto found = find(); !found.empty(); found = find()) {
    const auto waited = std::chrono::steady_clock::now() - start;
    bool found_new = false;
    for (const pid_t pid : found) {
      const auto [at, is_new] = targets.try_emplace(pid, pid);
      found_new = found_new || is_new;
      if (!is_new) at->second.end(waited);  // found again after its pidfd was opened, so it is the right process
    }
    if (waited >= 2 * kEndTimeout) break;
    if (found_new) continue;  // repeat at once, to signal the processes opened in this round
    std::this_thread::sleep_for(search_interval);
    search_interval = std::min(search_interval * 2, std::chrono::milliseconds{50});
  }
  std::vector<EndedProcess> ended;
  for (const auto& [pid, target] : targets)
    if (target.signalled()) ended.push_back(target.process());
  return ended;
}

std::string describe(const std::vector<EndedProcess>& ended) {
  std::vector<EndedProcess> sorted = ended;
  const auto did_not_end = [](const EndedProcess& one) { return one.end_state != EndedProcess::EndState::terminated; };
  std::stable_partition(sorted.begin(), sorted.end(), did_not_end);
  std::string text;
  for (std::size_t i = 0; i < std::min(ended.size(), kMaxListed); ++i)
    text += (i == 0 ? "" : ", ") + ended_process_text(sorted[i]);
  return ended.size() > kMaxListed ? fmt::format("{} and {} more", text, ended.size() - kMaxListed) : text;
}

std::string new_mark() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace weir::device
