#include "jobs/worker_pool.hpp"

#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {

Status WorkerPool::start(Seat& seat, const Json& setup) {
  auto process = WorkerProcess::start(settings_.worker_command, *seat.device, settings_.inherited);
  if (!process) return process.error();
  seat.take(process->pid(), Clock::now());
  process_of(seat).emplace(*std::move(process));
  reporter_.log(observe::Level::info, "worker_start",
                {{"device", seat.device->name}, {"identity", seat.identity}, {"worker", seat.worker}});
  send(seat, setup);
  return ok();
}

void WorkerPool::send(Seat& seat, const Json& message) {
  if (auto sent = process_of(seat)->send(message); !sent) kill(seat, sent.error().what);
}

void WorkerPool::send_to_all(const Json& message) {
  for (auto& process : processes_) {
    if (process) (void)process->send(message);
  }
}

void WorkerPool::signal_all(int number) {
  for (const auto& process : processes_) {
    if (process) process->signal_tree(number);
  }
}

std::vector<int> WorkerPool::channels() const {
  std::vector<int> channels;
  for (const auto& process : processes_) {
    if (process) channels.push_back(process->channel());
  }
  return channels;
}

std::optional<Json> WorkerPool::receive(Seat& seat) {
  auto& process = process_of(seat);
  if (!process) return std::nullopt;
  auto message = process->receive();
  if (message) return *std::move(message);
  if (message.error().code != Errc::io) kill(seat, fmt::format("its message cannot be read: {}", message.error().what));
  return std::nullopt;
}

void WorkerPool::end(Seat& seat, std::string_view why) {
  seat.ending = true;
  reporter_.log(observe::Level::debug, "worker_end_asked",
                {{"device", seat.device->name}, {"worker", seat.worker}, {"why", why}});
  send(seat, {{"type", "end"}});
}

void WorkerPool::kill(Seat& seat, std::string_view why) {
  auto& process = process_of(seat);
  if (!process || !seat.killed_why.empty()) return;
  seat.killed_why = fmt::format("was killed: {}", why);
  process->signal_tree(SIGCONT);  // what it runs is ended by the guardian, which cannot act while it is stopped
  process->signal(SIGKILL);
}

std::optional<std::string> WorkerPool::look_for_end(const Seat& seat) {
  auto& process = process_of(seat);
  if (!process || !process->reap()) return std::nullopt;
  return process->end();
}

void WorkerPool::abandon(Seat& seat) {
  auto& process = process_of(seat);
  if (process->is_uninterruptible())
    reporter_.notify(Loudness::error, fmt::format("{}: process {} waits in the kernel and cannot be ended",
                                                  printable(seat.device->name), seat.worker));
  process->abandon();
  process.reset();
}

}  // namespace weir::jobs
