#include "device/command_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <stop_token>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process_stat.hpp"
#include "device/command_guardian.hpp"
#include "device/descendants.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPollInterval = std::chrono::milliseconds{20};  // longest delay until a stop is detected
// A round of wait() that takes longer means that this process was suspended (SIGSTOP).
constexpr auto kMaxRoundTime = std::chrono::seconds{1};
constexpr auto kGuardianExitTime = std::chrono::seconds{1};  // longest wait for the exit of a guardian that has ended
constexpr std::size_t kMaxReportBytes = 64U << 10U;          // command_guardian.cpp limits the list in a report

/// Returns the next report of the guardian, or nothing if none arrives before `deadline`. Returns a report of kind
/// `failed` without an error if the guardian has ended.
std::optional<GuardianReport> next_report(int channel, Clock::time_point deadline) {
  std::vector<char> text(kMaxReportBytes);
  for (;;) {  // ends at the deadline
    pollfd entry{channel, POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    const ssize_t got = ::recv(channel, text.data(), text.size(), MSG_DONTWAIT);
    // ECONNRESET is returned once if the guardian ended before it read a request; its earlier reports are still there.
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET)) continue;
    const auto report = parse_report({text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
    return report ? report : GuardianReport{};
  }
}

void send_request(int channel, const GuardianRequest& request) {
  const std::string message = to_message(request);
  // The guardian may have ended just now.
  (void)!::send(channel, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Returns true if the command failed and a stop is requested. A Ctrl-C on the terminal reaches the command too, and
/// may end it before this process handles the signal. So if the exit status is that of such a signal, waits for the
/// stop, at most 100 ms.
bool was_interrupted_by_terminal(const ChildResult& result, const std::stop_token& stop) {
  constexpr std::array<int, 3> kStopSignals{SIGINT, SIGTERM, SIGHUP};
  const bool ended_by_signal =
      std::any_of(kStopSignals.begin(), kStopSignals.end(), [&](int signal) { return result.status == 128 + signal; });
  for (int tries = 0; ended_by_signal && tries < 20 && !stop.stop_requested(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  return result.status != 0 && stop.stop_requested();
}

ChildOptions make_child_options(const Command& command, const std::string& mark) {
  ChildOptions options{.arguments = command.arguments,
                       .environment = command.environment,
                       .folder = {},
                       .stdin_fd = command.stdin_fd,
                       .stdout_fd = command.stdout_fd,
                       .stderr_fd = command.stderr_fd,
                       .inherited_descriptors = {},
                       .other_descriptors = command.other_descriptors,
                       .own_process_group = command.own_process_group};
  options.environment.emplace_back(kMarkVariable, mark);
  return options;
}

/// Returns the options of the guardian process. Its open descriptors are the socket `channel`, the lease files, and the
/// command's standard streams.
ChildOptions make_guardian_options(const Command& command, int channel) {
  ChildOptions options{
      .arguments = {}, .environment = {}, .folder = {}, .inherited_descriptors = command.lease_descriptors};
  for (const int descriptor : {channel, command.stdin_fd, command.stdout_fd, command.stderr_fd})
    if (descriptor > 2) options.inherited_descriptors.push_back(descriptor);
  options.other_descriptors = command.other_descriptors;
  return options;
}

}  // namespace

Result<CommandProcess> CommandProcess::start(const Command& command) {
  if (command.arguments.empty() || command.arguments.front().empty())
    return Error{Errc::invalid_argument, "no command is given; write it after --"};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{Errc::io, "make a socket: " + errno_text(errno)};
  FileDescriptor parent_end{ends[0]};
  FileDescriptor guardian_end{ends[1]};
  const std::string mark = new_mark();
  adopt_orphans();
  std::vector<pid_t> earlier_children = children_of(::getpid());
  auto guardian = ChildProcess::fork_function(make_guardian_options(command, guardian_end.get()), [&] {
    return run_guardian(make_child_options(command, mark), guardian_end.get());
  });
  if (!guardian) return guardian.error();
  guardian_end = FileDescriptor{};
  const auto report = next_report(parent_end.get(), Clock::now() + kMaxEndTime);
  if (!report || (report->kind == GuardianReport::Kind::failed && !report->error))
    return Error{Errc::io, "no process can be started: the guardian process of the command did not start"};
  if (report->error) return *report->error;
  return CommandProcess{*std::move(guardian), std::move(parent_end), mark, report->pid, std::move(earlier_children)};
}

CommandProcess::~CommandProcess() {
  if (guardian_.pid() < 0 || guardian_.has_result()) return;
  send_request(channel_.get(), {.kind = GuardianRequest::Kind::end});
  guardian_.wait_until(Clock::now() + kMaxEndTime);
}

std::vector<pid_t> CommandProcess::all_pids() const { return find_descendants(guardian_.pid()); }

/// Returns the command's processes after the guardian was killed: those with the mark in their environment, and the
/// children that this process has adopted since, with their descendants.
std::vector<pid_t> CommandProcess::find_orphans() const {
  std::vector<pid_t> found = find_marked(kMarkVariable, mark_);
  for (const pid_t child : children_of(::getpid())) {
    if (child == guardian_.pid() ||
        std::find(earlier_children_.begin(), earlier_children_.end(), child) != earlier_children_.end())
      continue;
    if (::waitpid(child, nullptr, WNOHANG) == child) continue;  // it had ended; the call has removed the zombie
    found.push_back(child);
    for (const pid_t descendant : find_descendants(child)) found.push_back(descendant);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

/// Called when the guardian was killed, and the command with it: ends the processes that the command started.
CommandResult CommandProcess::finish_without_guardian() {
  CommandResult result;
  result.status = 128 + SIGKILL;
  result.signal = SIGKILL;
  result.guardian_lost = true;
  result.leftover_processes = end_processes([&] { return find_orphans(); });
  return result;
}

/// Continues a guardian that was suspended (SIGSTOP): it could not report the end of the command.
void CommandProcess::wake_guardian() const {
  const auto stat = read_process_stat(guardian_.pid());
  if (stat && stat->state == 'T') guardian_.send_signal(SIGCONT);
}

/// Each round of the loop checks whether the command must be ended (a stop, the time limit), calls `tick` when it is
/// due, and waits up to kPollInterval for the guardian's last report. If that does not arrive within kMaxEndTime after
/// the request to end all processes, the guardian counts as lost.
CommandResult CommandProcess::wait(const StopRules& rules, std::chrono::milliseconds tick_interval,
                                   const std::function<void()>& tick) {
  CommandResult result;
  std::optional<GuardianReport> report;
  auto next_tick = started_;
  auto suspended_time = Clock::duration{};       // time in which this process was suspended (SIGSTOP)
  auto terminate_at = Clock::time_point::max();  // when the guardian is asked to end all processes
  auto give_up = Clock::time_point::max();       // when this process stops waiting for the guardian
  for (auto last_round = Clock::now(); !report;) {
    const auto now = Clock::now();
    if (now - last_round > kMaxRoundTime) suspended_time += now - last_round;
    last_round = now;
    if (!result.stopped && rules.stop.stop_requested()) {
      result.stopped = true;
      const int signal = rules.first_signal ? rules.first_signal() : SIGINT;
      if (signal != 0) send_request(channel_.get(), {.kind = GuardianRequest::Kind::signal, .signal = signal});
      terminate_at = now + rules.grace_period;
    }
    if (!result.stopped && rules.immediate_stop.stop_requested()) {
      result.stopped = true;
      terminate_at = now;
    }
    if (!result.timed_out && !result.stopped && rules.time_limit &&
        now - started_ - suspended_time > *rules.time_limit) {
      result.timed_out = true;
      terminate_at = now;
    }
    if (now >= terminate_at) {
      result.forced = true;
      send_request(channel_.get(), {.kind = GuardianRequest::Kind::end});
      terminate_at = Clock::time_point::max();
      give_up = now + kMaxEndTime;
    }
    if (now >= give_up) break;
    if (now >= next_tick) {
      wake_guardian();
      if (tick) tick();
      next_tick = now + tick_interval;
    }
    report = next_report(channel_.get(), Clock::now() + kPollInterval);
  }
  result.duration = Clock::now() - started_;
  if (!report || report->kind != GuardianReport::Kind::ended) {
    guardian_.send_signal(SIGKILL);
    guardian_.wait_until(Clock::now() + kGuardianExitTime);
    const CommandResult lost = finish_without_guardian();
    static_cast<ChildResult&>(result) = lost;
    result.guardian_lost = true;
    result.leftover_processes = lost.leftover_processes;
  } else {
    static_cast<ChildResult&>(result) = report->result;
    result.leftover_processes = std::move(report->leftover_processes);
    result.stopped = result.stopped || was_interrupted_by_terminal(result, rules.stop);
  }
  guardian_.wait_until(Clock::now() + kGuardianExitTime);
  return result;
}

}  // namespace weir::device
