#include "device/command_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

#include "device/command_guardian.hpp"
#include "device/descendants.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLook = std::chrono::milliseconds{20};  // how late a stop is noticed
constexpr auto kStoodStill = std::chrono::seconds{1};  // a round that took longer: somebody had stopped us

/// The next report, if one comes before `deadline`; an empty one of the kind `failed` if the guardian is gone.
std::optional<GuardianReport> next_report(int channel, Clock::time_point deadline) {
  std::vector<char> text(64U << 10U);
  for (;;) {  // ends at the deadline
    pollfd entry{channel, POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    const ssize_t got = ::recv(channel, text.data(), text.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    const auto report = parse_report({text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
    return report ? report : GuardianReport{};
  }
}

void ask(int channel, const GuardianRequest& request) {
  const std::string message = to_message(request);
  (void)!::send(channel, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // it may have ended just now
}

ChildStart start_of(const Command& command, const std::string& mark) {
  ChildStart start{.words = command.words,
                   .environment = command.environment,
                   .folder = {},
                   .input = command.input,
                   .output = command.output,
                   .error = command.error,
                   .inherited = {},
                   .others = command.descriptors,
                   .own_group = command.own_group};
  start.environment.emplace_back(kMarkVariable, mark);
  return start;
}

/// What the guardian keeps open: the channel, the lease, and what the command is to have.
ChildStart guardian_start(const Command& command, int channel) {
  ChildStart start{.words = {}, .environment = {}, .folder = {}, .inherited = command.held};
  for (const int descriptor : {channel, command.input, command.output, command.error})
    if (descriptor > 2) start.inherited.push_back(descriptor);
  start.others = command.descriptors;
  return start;
}

}  // namespace

Result<CommandProcess> CommandProcess::start(const Command& command) {
  if (command.words.empty() || command.words.front().empty())
    return Error{Errc::invalid_argument, "no command is given; write it after --"};
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{Errc::io, "make a socket: " + errno_text(errno)};
  FileDescriptor ours{ends[0]};
  FileDescriptor theirs{ends[1]};
  const std::string mark = new_mark();
  auto guardian = ChildProcess::fork_function(
      guardian_start(command, theirs.get()), [&] { return run_guardian(start_of(command, mark), mark, theirs.get()); });
  if (!guardian) return guardian.error();
  theirs = FileDescriptor{};
  const auto report = next_report(ours.get(), Clock::now() + kEndTime);
  if (!report || (report->kind == GuardianReport::Kind::failed && !report->error))
    return Error{Errc::io, "no process can be started: the guardian of the command did not come up"};
  if (report->error) return *report->error;
  return CommandProcess{*std::move(guardian), std::move(ours), mark, report->pid};
}

CommandProcess::~CommandProcess() {
  if (guardian_.pid() < 0 || guardian_.has_ended()) return;
  ask(channel_.get(), {.kind = GuardianRequest::Kind::end});
  guardian_.wait_until(Clock::now() + kEndTime);
}

std::vector<pid_t> CommandProcess::all_pids() const {
  auto pids = find_marked(kMarkVariable, mark_);
  for (const pid_t pid : find_descendants(guardian_.pid(), {}))
    if (std::find(pids.begin(), pids.end(), pid) == pids.end()) pids.push_back(pid);
  return pids;
}

/// Somebody killed it; the command died with it, what the command had started may live.
CommandEnd CommandProcess::without_guardian() {
  CommandEnd end;
  end.status = 128 + SIGKILL;
  end.signal = SIGKILL;
  end.left_behind = end_processes([&] { return find_marked(kMarkVariable, mark_); });
  return end;
}

CommandEnd CommandProcess::wait(const StopRules& rules, std::chrono::milliseconds pause,
                                const std::function<void()>& tick) {
  CommandEnd end;
  std::optional<GuardianReport> report;
  auto next_tick = started_;
  auto stood_still = Clock::duration{};
  auto ask_again = Clock::time_point::max();  // when a stop goes on to SIGTERM
  auto give_up = Clock::time_point::max();
  for (auto last = Clock::now(); !report;) {
    const auto now = Clock::now();
    if (now - last > kStoodStill) stood_still += now - last;
    last = now;
    if (!end.stopped && rules.stop.stop_requested()) {
      end.stopped = true;
      const int signal = rules.first_signal ? rules.first_signal() : SIGINT;
      if (signal != 0) ask(channel_.get(), {.kind = GuardianRequest::Kind::signal, .signal = signal});
      ask_again = now + rules.grace;
    }
    if (!end.stopped && rules.at_once.stop_requested()) {
      end.stopped = true;
      ask_again = now;
    }
    if (!end.timed_out && !end.stopped && rules.limit && now - started_ - stood_still > *rules.limit) {
      end.timed_out = true;
      ask_again = now;
    }
    if (now >= ask_again) {
      ask(channel_.get(), {.kind = GuardianRequest::Kind::end});
      ask_again = Clock::time_point::max();
      give_up = now + kEndTime;
    }
    if (now >= give_up) break;
    if (tick && now >= next_tick) {
      tick();
      next_tick = now + pause;
    }
    report = next_report(channel_.get(), Clock::now() + kLook);
  }
  end.took = Clock::now() - started_;
  if (!report || report->kind != GuardianReport::Kind::ended) {
    guardian_.send(SIGKILL);
    const CommandEnd lost = without_guardian();
    static_cast<ChildEnd&>(end) = lost;
    end.left_behind = lost.left_behind;
  } else {
    static_cast<ChildEnd&>(end) = report->end;
    end.left_behind = std::move(report->left_behind);
  }
  guardian_.wait_until(Clock::now() + std::chrono::seconds{1});
  return end;
}

}  // namespace weir::device
