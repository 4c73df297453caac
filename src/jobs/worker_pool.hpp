#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/run_reporter.hpp"
#include "jobs/worker_process.hpp"
#include "jobs/worker_slots.hpp"

namespace weir::jobs {

/// The worker processes, at most one per slot (WorkerSlot: a device of the run). Not thread-safe; use it on the thread
/// that runs the Coordinator, because a worker ends with the thread that started it.
class WorkerPool {
 public:
  /// The references must outlive the object.
  WorkerPool(const RunSettings& settings, const WorkerSlots& slots, RunReporter& reporter)
      : settings_{settings}, slots_{slots}, reporter_{reporter}, processes_(slots.size()) {}

  /// Starts a worker and sends it `setup` as the first message. Errors: io; the slot then has no worker.
  Status start(WorkerSlot& slot, const Json& setup);
  /// Sends a message to the worker of the slot, which must have one. Kills a worker that does not read.
  void send(WorkerSlot& slot, const Json& message);
  /// Sends a message to all workers; ignores errors.
  void send_to_all(const Json& message);
  /// Sends the signal SIGSTOP or SIGCONT to all workers and their descendants.
  void signal_all(int signal);
  /// Returns the socket descriptors of all workers, to wait on them.
  std::vector<int> channel_fds() const;
  /// Returns the next complete message of the worker, if one has arrived. Kills a worker whose message is invalid.
  std::optional<Json> receive(WorkerSlot& slot);

  /// Asks the worker to end. Call it while the worker has no job, because the message also stops a running item.
  void request_end(WorkerSlot& slot, std::string_view why);
  /// Kills the worker and stores the reason in WorkerSlot::kill_reason.
  void kill(WorkerSlot& slot, std::string_view why);
  /// Returns how the worker ended ("killed by signal 9"), or nothing while it lives. receive() may still return
  /// messages that it sent before.
  std::optional<std::string> poll_exit(const WorkerSlot& slot);
  /// Removes the worker's process from the pool; kills it and waits for it if it lives.
  void remove_process(WorkerSlot& slot) { process_of(slot).reset(); }
  /// Removes the worker's process from the pool without killing it or waiting for it.
  void abandon(WorkerSlot& slot);

 private:
  std::optional<WorkerProcess>& process_of(const WorkerSlot& slot) { return processes_[slots_.index_of(slot)]; }

  const RunSettings& settings_;
  const WorkerSlots& slots_;
  RunReporter& reporter_;
  std::vector<std::optional<WorkerProcess>> processes_;  // in the order of the slots
};

}  // namespace weir::jobs
