#include "jobs/worker_pool.hpp"

#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {

Status WorkerPool::start(WorkerSlot& slot, const Json& setup) {
  auto process = WorkerProcess::start(settings_.worker_command, *slot.device, settings_.inherited_descriptors);
  if (!process) return process.error();
  slot.set_worker(process->pid(), Clock::now());
  process_of(slot).emplace(*std::move(process));
  reporter_.log(observe::Level::info, "worker_start",
                {{"device", slot.device->name}, {"identity", slot.identity}, {"worker", slot.worker}});
  send(slot, setup);
  return ok();
}

void WorkerPool::send(WorkerSlot& slot, const Json& message) {
  if (auto sent = process_of(slot)->send(message); !sent) kill(slot, sent.error().what);
}

void WorkerPool::send_to_all(const Json& message) {
  for (auto& process : processes_) {
    if (process) (void)process->send(message);
  }
}

void WorkerPool::signal_all(int signal) {
  for (const auto& process : processes_) {
    if (process) process->send_signal_to_tree(signal);
  }
}

std::vector<int> WorkerPool::channel_fds() const {
  std::vector<int> channels;
  for (const auto& process : processes_) {
    if (process) channels.push_back(process->channel_fd());
  }
  return channels;
}

std::optional<Json> WorkerPool::receive(WorkerSlot& slot) {
  auto& process = process_of(slot);
  if (!process) return std::nullopt;
  auto message = process->receive();
  if (message) return *std::move(message);
  // io: the worker has closed its socket; poll_exit() reports its end
  if (message.error().code != Errc::io) kill(slot, fmt::format("its message cannot be read: {}", message.error().what));
  return std::nullopt;
}

void WorkerPool::request_end(WorkerSlot& slot, std::string_view why) {
  slot.ending = true;
  reporter_.log(observe::Level::debug, "worker_end_requested",
                {{"device", slot.device->name}, {"worker", slot.worker}, {"why", why}});
  send(slot, {{"type", "end"}});
}

void WorkerPool::kill(WorkerSlot& slot, std::string_view why) {
  auto& process = process_of(slot);
  if (!process || !slot.kill_reason.empty()) return;
  slot.kill_reason = fmt::format("was killed: {}", why);
  // If the worker's item is a command, the command's guardian process (device/command_guardian.hpp) ends the command
  // when the worker dies. A pause may have suspended the guardian, so it is continued first.
  process->send_signal_to_tree(SIGCONT);
  process->send_signal(SIGKILL);
}

std::optional<std::string> WorkerPool::poll_exit(const WorkerSlot& slot) {
  auto& process = process_of(slot);
  if (!process || !process->reap()) return std::nullopt;
  return process->exit_text();
}

void WorkerPool::abandon(WorkerSlot& slot) {
  auto& process = process_of(slot);
  if (process->is_uninterruptible())
    reporter_.notify(Severity::error, fmt::format("{}: process {} waits in the kernel and cannot be ended",
                                                  printable(slot.device->name), slot.worker));
  process->abandon();
  process.reset();
}

}  // namespace weir::jobs
