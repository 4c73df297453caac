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
  ChildOptions options{.arguments = command,
                       .environment = device.environment,
                       .folder = {},
                       .stdin_fd = null.get(),
                       .stdout_fd = 2,  // only the coordinator writes results to standard output
                       .inherited_descriptors = inherited,
                       .own_process_group = true};  // the coordinator passes on the terminal's signals
  options.arguments.insert(options.arguments.end(), {"--channel", std::to_string(channel->child_end.get())});
  options.arguments.insert(options.arguments.end(), device.arguments.begin(), device.arguments.end());
  options.inherited_descriptors.push_back(channel->child_end.get());
  auto child = ChildProcess::start(options);
  if (!child) return Error{child.error().code, fmt::format("a worker cannot be started: {}", child.error().what)};
  return WorkerProcess{*std::move(child), std::move(channel->parent_end)};
}

Status WorkerProcess::send(const Json& message) {
  const auto frame = to_frame(dump(message));
  if (!frame) return frame.error();
  const auto sent = try_send(channel_.get(), *frame);
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
    const auto got = try_receive(channel_.get(), piece);
    if (got && *got == 0) return std::optional<Json>{};  // nothing has arrived
    closed_ = !got;
    if (got) frames_.feed({piece, *got});
  }
}

void WorkerProcess::send_signal_to_tree(int signal) const {
  if (child_.pid() < 0) return;
  child_.send_signal_to_group(signal);
  device::signal_descendants(child_.pid(), signal);
}

bool WorkerProcess::reap() {
  if (child_.pid() < 0) return true;
  const auto result = child_.poll();
  if (result) exit_text_ = describe(*result);
  return result.has_value();
}

bool WorkerProcess::is_uninterruptible() const {
  const auto stat = read_process_stat(child_.pid());
  return stat && stat->state == 'D';  // uninterruptible sleep: proc(5)
}

}  // namespace weir::jobs
