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
    // ECONNRESET, told once: a request of ours came too late to be read. What was said before is still there.
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET)) continue;
    const auto report = parse_report({text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
    return report ? report : GuardianReport{};
  }
}

void ask(int channel, const GuardianRequest& request) {
  const std::string message = to_message(request);
  (void)!::send(channel, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);  // it may have ended just now
}

/// A Ctrl-C of the terminal reaches the command, too, and may have ended it before we looked, or were told.
bool was_stopped_with_us(const ChildEnd& end, const std::stop_token& stop) {
  constexpr std::array<int, 3> kOurs{SIGINT, SIGTERM, SIGHUP};
  const bool alike = std::any_of(kOurs.begin(), kOurs.end(), [&](int signal) { return end.status == 128 + signal; });
  for (int tries = 0; alike && tries < 20 && !stop.stop_requested(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  return end.status != 0 && stop.stop_requested();
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
  adopt_orphans();
  std::vector<pid_t> siblings = children_of(::getpid());
  auto guardian = ChildProcess::fork_function(guardian_start(command, theirs.get()),
                                              [&] { return run_guardian(start_of(command, mark), theirs.get()); });
  if (!guardian) return guardian.error();
  theirs = FileDescriptor{};
  const auto report = next_report(ours.get(), Clock::now() + kEndTime);
  if (!report || (report->kind == GuardianReport::Kind::failed && !report->error))
    return Error{Errc::io, "no process can be started: the guardian of the command did not come up"};
  if (report->error) return *report->error;
  return CommandProcess{*std::move(guardian), std::move(ours), mark, report->pid, std::move(siblings)};
}

CommandProcess::~CommandProcess() {
  if (guardian_.pid() < 0 || guardian_.has_ended()) return;
  ask(channel_.get(), {.kind = GuardianRequest::Kind::end});
  guardian_.wait_until(Clock::now() + kEndTime);
}

std::vector<pid_t> CommandProcess::all_pids() const { return find_descendants(guardian_.pid()); }

/// What a killed guardian left to us, and what bears the mark.
std::vector<pid_t> CommandProcess::find_orphaned() const {
  std::vector<pid_t> found = find_marked(kMarkVariable, mark_);
  for (const pid_t child : children_of(::getpid())) {
    if (child == guardian_.pid() || std::find(siblings_.begin(), siblings_.end(), child) != siblings_.end()) continue;
    if (::waitpid(child, nullptr, WNOHANG) == child) continue;
    found.push_back(child);
    for (const pid_t below : find_descendants(child)) found.push_back(below);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

/// Somebody killed it; the command died with it, what the command had started may live.
CommandEnd CommandProcess::without_guardian() {
  CommandEnd end;
  end.status = 128 + SIGKILL;
  end.signal = SIGKILL;
  end.guardian_lost = true;
  end.left_behind = end_processes([&] { return find_orphaned(); });
  return end;
}

/// One that somebody stopped (SIGSTOP) would never tell of the end.
void CommandProcess::wake_guardian() const {
  const auto stat = read_process_stat(guardian_.pid());
  if (stat && stat->state == 'T') guardian_.send(SIGCONT);
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
      end.forced = true;
      ask(channel_.get(), {.kind = GuardianRequest::Kind::end});
      ask_again = Clock::time_point::max();
      give_up = now + kEndTime;
    }
    if (now >= give_up) break;
    if (now >= next_tick) {
      wake_guardian();
      if (tick) tick();
      next_tick = now + pause;
    }
    report = next_report(channel_.get(), Clock::now() + kLook);
  }
  end.took = Clock::now() - started_;
  if (!report || report->kind != GuardianReport::Kind::ended) {
    guardian_.send(SIGKILL);
    guardian_.wait_until(Clock::now() + std::chrono::seconds{1});
    const CommandEnd lost = without_guardian();
    static_cast<ChildEnd&>(end) = lost;
    end.guardian_lost = true;
    end.left_behind = lost.left_behind;
  } else {
    static_cast<ChildEnd&>(end) = report->end;
    end.left_behind = std::move(report->left_behind);
    end.stopped = end.stopped || was_stopped_with_us(end, rules.stop);
  }
  guardian_.wait_until(Clock::now() + std::chrono::seconds{1});
  return end;
}

}  // namespace weir::device
