#include "device/command_guardian.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "device/command_process.hpp"
#include "device/descendants.hpp"
#include "device/device_json.hpp"

namespace weir::device {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

// Names of GuardianReport::Kind in messages, in the order of the enumerators.
constexpr std::array kReportKinds{"started", "failed", "ended"};
constexpr std::size_t kMaxReportedProcesses = 100;  // per message
constexpr std::size_t kMaxCommandLength = 80;       // bytes of EndedProcess::command in a message
// JSON writes a byte of a command as up to six characters (\u0001), and at most 64 characters beside the command.
static_assert(kMaxReportedProcesses * (6 * kMaxCommandLength + 64) + 1024 <= kMaxReportBytes);
constexpr int kMaxSearches = 10;  // longest series of searches in find_remaining()

Json json_of_process(const EndedProcess& process) {
  return {{"pid", process.pid},
          {"command", process.command.substr(0, kMaxCommandLength)},
          {"how", static_cast<int>(process.end_state)}};
}

EndedProcess ended_process_from(const Json& json) {
  const int how = std::clamp(json.value("how", 0), 0, static_cast<int>(EndedProcess::EndState::survived));
  return {json.value("pid", 0), json.value("command", std::string{}), static_cast<EndedProcess::EndState>(how)};
}

/// Waits for the command `child` and handles requests meanwhile.
class Guardian {
 public:
  Guardian(ChildProcess child, int channel_fd) : child_{std::move(child)}, channel_fd_{channel_fd} {}

  /// Waits until the command ends or a request ends it. Then ends all processes that are left, and returns the report.
  GuardianReport run() {
    while (!child_.poll() && !end_requested_) {
      std::array<pollfd, 2> entries{pollfd{channel_fd_, POLLIN, 0}, pollfd{child_.pidfd(), POLLIN, 0}};
      // The end of the command wakes poll(), so a round of 100 ms only limits how long adopted processes stay zombies.
      // Without a pidfd it does not wake poll(), so the loop checks it every 5 ms.
      constexpr int kRoundMs = 100;
      constexpr int kRoundWithoutPidfdMs = 5;
      ::poll(entries.data(), entries.size(), child_.pidfd() >= 0 ? kRoundMs : kRoundWithoutPidfdMs);
      if (entries[0].revents != 0) handle_request();
      reap_adopted();
    }
    GuardianReport report{.kind = GuardianReport::Kind::ended, .error = {}, .result = {}, .leftover_processes = {}};
    if (!child_.has_result()) end_all();  // ends the command too, since it is a descendant
    report.result = final_result();
    report.leftover_processes = end_all();  // processes that outlived the command
    reap_adopted();
    return report;
  }

 private:
  /// Handles one request. When the parent has ended, its end of the socket is closed: recv() then returns 0 or an
  /// error, which counts as a request to end.
  void handle_request() {
    std::array<char, 4096> message{};
    const ssize_t received = ::recv(channel_fd_, message.data(), message.size(), MSG_DONTWAIT);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
    const auto request = parse_request({message.data(), static_cast<std::size_t>(std::max<ssize_t>(received, 0))});
    if (!request || request->kind == GuardianRequest::Kind::end)
      end_requested_ = true;
    else
      for (const pid_t pid : find_descendants(::getpid())) ::kill(pid, request->signal);
  }

  /// Returns the living descendants of the guardian. A search may miss a process that the guardian adopts meanwhile, so
  /// a search that finds none is repeated while the guardian has children, at most kMaxSearches times.
  std::vector<pid_t> find_remaining() const {
    for (int search = 0; search < kMaxSearches; ++search) {
      reap_adopted();
      if (!has_children()) return {};
      if (auto found = find_descendants(::getpid()); !found.empty()) return found;
    }
    return {};
  }

  /// Ends all descendants of the guardian and returns them.
  std::vector<EndedProcess> end_all() {
    return end_processes([&] { return find_remaining(); });
  }

  /// Collects the exit status of adopted processes that have ended, since the guardian is their new parent.
  void reap_adopted() const {
    for (const pid_t child : children_of(::getpid()))
      if (child != child_.pid()) ::waitpid(child, nullptr, WNOHANG);
  }

  /// Returns the result of the command; kills the command if it still runs.
  ChildResult final_result() {
    if (child_.has_result()) return *child_.poll();
    child_.send_signal(SIGKILL);  // needed only if no search for descendants found the command
    if (const auto end = child_.wait_until(Clock::now() + std::chrono::seconds{5})) return *end;
    child_.abandon();  // the command waits in the kernel, where SIGKILL does not end it
    return {.status = 128 + SIGKILL, .signal = SIGKILL, .peak_resident = {}};
  }

  ChildProcess child_;
  int channel_fd_;
  bool end_requested_ = false;  // the parent has requested the end, or has ended
};

/// Sends a report to the parent.
void send(int channel_fd, const GuardianReport& report) {
  const std::string message = to_message(report);
  (void)!::send(channel_fd, message.data(), message.size(), MSG_NOSIGNAL);  // the parent may have ended
}

/// Blocks signals that would end or suspend the guardian, such as those of the terminal; only the parent and the
/// command handle them. If the guardian ignored them instead, the command would inherit that and ignore them too. The
/// command also inherits which signals are blocked, but ChildProcess::start() unblocks all before the command runs.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

std::string to_message(const GuardianReport& report) {
  Json json{{"kind", kReportKinds.at(static_cast<std::size_t>(report.kind))}, {"pid", report.pid}};
  if (report.error) json["error"] = {{"code", static_cast<int>(report.error->code)}, {"what", report.error->what}};
  json["end"] = {{"status", report.result.status},
                 {"signal", report.result.signal},
                 {"peak", report.result.peak_resident.count()},
                 {"known", report.result.status_known}};
  json["left_behind"] = Json::array();
  for (std::size_t i = 0; i < std::min(report.leftover_processes.size(), kMaxReportedProcesses); ++i)
    json["left_behind"].push_back(json_of_process(report.leftover_processes[i]));
  return to_message_line(json);
}

std::string to_message(const GuardianRequest& request) {
  return to_message_line(
      {{"kind", request.kind == GuardianRequest::Kind::end ? "end" : "signal"}, {"signal", request.signal}});
}

std::optional<GuardianReport> parse_report(std::string_view message) {
  try {
    const Json json = Json::parse(message);
    const auto kind = std::find(kReportKinds.begin(), kReportKinds.end(), json.at("kind").get<std::string>());
    if (kind == kReportKinds.end()) return std::nullopt;
    GuardianReport report{.kind = static_cast<GuardianReport::Kind>(kind - kReportKinds.begin()),
                          .pid = json.at("pid"),
                          .error = {},
                          .result = {},
                          .leftover_processes = {}};
    if (json.contains("error"))
      report.error = Error{static_cast<Errc>(json["error"].at("code").get<int>()), json["error"].at("what")};
    const Json& end = json.at("end");
    report.result = {.status = end.at("status"),
                     .signal = end.at("signal"),
                     .peak_resident = Bytes{end.at("peak").get<std::uint64_t>()},
                     .status_known = end.at("known")};
    for (const Json& one : json.at("left_behind")) report.leftover_processes.push_back(ended_process_from(one));
    return report;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::optional<GuardianRequest> parse_request(std::string_view message) {
  const Json json = Json::parse(message, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const bool is_signal = json.value("kind", std::string{}) == "signal";
  return GuardianRequest{is_signal ? GuardianRequest::Kind::signal : GuardianRequest::Kind::end,
                         json.value("signal", 0)};
}

int run_guardian(const ChildOptions& command, int channel_fd) {
  block_signals();
  ::prctl(PR_SET_NAME, "weir-guardian");
  // Removes the setting of ChildProcess that makes the kernel kill a child when its parent dies. The guardian must
  // outlive the parent, to end the command then; it detects the parent's death by the closed socket.
  ::prctl(PR_SET_PDEATHSIG, 0);
  adopt_orphans();
  auto child = ChildProcess::start(command);
  if (!child) {
    send(channel_fd,
         {.kind = GuardianReport::Kind::failed, .error = child.error(), .result = {}, .leftover_processes = {}});
    return 0;
  }
  // Moves to a separate process group, so that a kill of weir's process group (timeout -s KILL) spares the guardian.
  // The command was started before, so it stays in weir's process group.
  ::setpgid(0, 0);
  send(channel_fd, {.kind = GuardianReport::Kind::started,
                    .pid = child->pid(),
                    .error = {},
                    .result = {},
                    .leftover_processes = {}});
  send(channel_fd, Guardian{*std::move(child), channel_fd}.run());
  return 0;
}

}  // namespace weir::device
