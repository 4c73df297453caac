#include "jobs/worker_process.hpp"

#include <fmt/format.h>

#include "base/channel.hpp"
#include "base/open_file.hpp"
#include "base/process_stat.hpp"
#include "device/descendants.hpp"

namespace weir::jobs {

Result<WorkerProcess> WorkerProcess::start(const std::vector<std::string>& command, const WorkerDevice& device,
                                           const std::vector<int>& inherited) {
  auto channel = make_channel();
  if (!channel) return Error{channel.error().code, fmt::format("a worker cannot be started: {}", channel.error().what)};
  const FileDescriptor null = open_to_read("/dev/null");
  ChildStart start{.words = command,
                   .environment = device.environment,
                   .folder = {},
                   .input = null.get(),
                   .output = 2,  // results on standard output are the coordinator's
                   .inherited = inherited,
                   .own_group = true};  // it passes on which signals of the terminal are to be passed on
  start.words.insert(start.words.end(), {"--channel", std::to_string(channel->theirs.get())});
  start.words.insert(start.words.end(), device.arguments.begin(), device.arguments.end());
  start.inherited.push_back(channel->theirs.get());
  auto child = ChildProcess::start(start);
  if (!child) return Error{child.error().code, fmt::format("a worker cannot be started: {}", child.error().what)};
  return WorkerProcess{*std::move(child), std::move(channel->ours)};
}

Status WorkerProcess::send(const Json& message) {
  const auto frame = to_frame(dump(message));
  if (!frame) return frame.error();
  const auto sent = send_now(channel_.get(), *frame);
  if (!sent) return sent.error();
  return *sent ? ok() : Error{Errc::io, "the worker does not read"};
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
    const auto got = receive_now(channel_.get(), piece);
    if (got && *got == 0) return std::optional<Json>{};
    closed_ = !got;
    if (got) frames_.feed({piece, *got});
  }
}

void WorkerProcess::signal_tree(int number) const {
  if (child_.pid() < 0) return;
  child_.send_to_group(number);
  device::signal_descendants(child_.pid(), number);
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
