#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/run_reporter.hpp"
#include "jobs/worker_process.hpp"
#include "jobs/worker_slots.hpp"

namespace weir::jobs {

/// The processes of the workers, one for each seat that has one. A seat has a worker as long as the pool has its process. Not
/// thread-safe; for the thread of the run (WorkerProcess).
class WorkerPool {
 public:
  /// The references must outlive it.
  WorkerPool(const RunSettings& settings, const WorkerSlots& slots, RunReporter& reporter)
      : settings_{settings}, slots_{slots}, reporter_{reporter}, processes_(slots.size()) {}

  /// Its first message is `setup`. Errors: io, and the seat is without a worker.
  Status start(WorkerSlot& slot, const Json& setup);
  /// A worker that cannot be reached is killed.
  void send(WorkerSlot& slot, const Json& message);
  void send_to_all(const Json& message);
  /// SIGSTOP or SIGCONT, to all and to everything below them.
  void signal_all(int signal);
  std::vector<int> channel_fds() const;
  /// The next message that has arrived whole, if there is one. A worker whose messages cannot be read is killed.
  std::optional<Json> receive(WorkerSlot& slot);

  /// Asks it to end between two items.
  void request_end(WorkerSlot& slot, std::string_view why);
  void kill(WorkerSlot& slot, std::string_view why);
  /// How it ended, once it has: "killed by signal 9"; it may have sent messages before.
  std::optional<std::string> poll_exit(const WorkerSlot& slot);
  /// Forgets the process; one that lives is killed and waited for.
  void remove_process(WorkerSlot& slot) { process_of(slot).reset(); }
  /// Forgets one that cannot be ended, or has not ended yet, without waiting for it.
  void abandon(WorkerSlot& slot);

 private:
  std::optional<WorkerProcess>& process_of(const WorkerSlot& slot) { return processes_[slots_.index_of(slot)]; }

  const RunSettings& settings_;
  const WorkerSlots& slots_;
  RunReporter& reporter_;
  std::vector<std::optional<WorkerProcess>> processes_;  // as the seats
};

}  // namespace weir::jobs
