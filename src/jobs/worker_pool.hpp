#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/run_reporter.hpp"
#include "jobs/seats.hpp"
#include "jobs/worker_process.hpp"

namespace weir::jobs {

/// The processes of the workers, one for each seat that has one. A seat has a worker as long as the pool has its process. Not
/// thread-safe; for the thread of the run (WorkerProcess).
class WorkerPool {
 public:
  /// The references must outlive it.
  WorkerPool(const RunSettings& settings, const Seats& seats, RunReporter& reporter)
      : settings_{settings}, seats_{seats}, reporter_{reporter}, processes_(seats.size()) {}

  /// Its first message is `setup`. Errors: io, and the seat is without a worker.
  Status start(Seat& seat, const Json& setup);
  /// A worker that cannot be reached is killed.
  void send(Seat& seat, const Json& message);
  void send_to_all(const Json& message);
  /// SIGSTOP or SIGCONT, to all and to everything below them.
  void signal_all(int number);
  std::vector<int> channels() const;
  /// The next message that has arrived whole, if there is one. A worker whose messages cannot be read is killed.
  std::optional<Json> receive(Seat& seat);

  /// Asks it to end between two items.
  void end(Seat& seat, std::string_view why);
  void kill(Seat& seat, std::string_view why);
  /// How it ended, once it has: "killed by signal 9"; it may have sent messages before.
  std::optional<std::string> look_for_end(const Seat& seat);
  /// Forgets the process; one that lives is killed and waited for.
  void remove(Seat& seat) { process_of(seat).reset(); }
  /// Forgets one that cannot be ended, or has not ended yet, without waiting for it.
  void abandon(Seat& seat);

 private:
  std::optional<WorkerProcess>& process_of(const Seat& seat) { return processes_[seats_.index_of(seat)]; }

  const RunSettings& settings_;
  const Seats& seats_;
  RunReporter& reporter_;
  std::vector<std::optional<WorkerProcess>> processes_;  // as the seats
};

}  // namespace weir::jobs
