#include "jobs/worker_process.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "base/process_stat.hpp"
#include "device/descendants.hpp"

namespace weir::jobs {

Result<WorkerProcess> WorkerProcess::start(const std::vector<std::string>& command, const WorkerDevice& device,
                                           const std::vector<int>& inherited) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return Error{Errc::io, fmt::format("a worker cannot be started: {}", errno_text(errno))};
  FileDescriptor ours{ends[0]};
  const FileDescriptor theirs{ends[1]};
  const FileDescriptor null{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  ChildStart start{.words = command,
                   .environment = device.environment,
                   .folder = {},
                   .input = null.get(),
                   .output = 2,  // results on standard output are the coordinator's
                   .inherited = inherited,
                   .own_group = true};  // it passes on which signals of the terminal are to be passed on
  start.words.insert(start.words.end(), {"--channel", std::to_string(theirs.get())});
  start.words.insert(start.words.end(), device.arguments.begin(), device.arguments.end());
  start.inherited.push_back(theirs.get());
  auto child = ChildProcess::start(start);
  if (!child) return Error{child.error().code, fmt::format("a worker cannot be started: {}", child.error().what)};
  return WorkerProcess{*std::move(child), std::move(ours)};
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
    if (got < 0 && errno == ECONNRESET)
      continue;  // told once: it ended before it read all; what it said is still there
    closed_ = got <= 0;
    if (got > 0) frames_.feed({piece, static_cast<std::size_t>(got)});
  }
}

/// What is started while we look is found in the next round; a stopped process starts nothing, so the rounds end.
void WorkerProcess::signal_tree(int number) const {
  if (child_.pid() < 0) return;
  child_.send_to_group(number);
  std::vector<pid_t> reached;
  for (int round = 0; round < 10; ++round) {
    const auto found = device::find_descendants(child_.pid());
    const std::size_t before = reached.size();
    for (const pid_t pid : found) {
      if (std::find(reached.begin(), reached.end(), pid) != reached.end()) continue;
      kill(pid, number);
      reached.push_back(pid);
    }
    if (reached.size() == before) return;
  }
}

bool WorkerProcess::reap() {
  if (child_.pid() < 0) return true;
  const auto end = child_.poll();
  if (end) end_ = describe(*end);
  return end.has_value();
}

bool WorkerProcess::is_uninterruptible() const {
  const auto stat = read_process_stat(child_.pid());
  return stat && stat->state == 'D';
}

}  // namespace weir::jobs
