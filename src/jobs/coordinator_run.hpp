#pragma once

// The inside of Coordinator, for its sources alone.

#include <csignal>
#include <optional>
#include <vector>

#include "base/signal_queue.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/halts.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_queue.hpp"
#include "jobs/run_reporter.hpp"
#include "jobs/seats.hpp"
#include "jobs/worker_pool.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// Joins the parts of a run, each with a state of its own (the worklist, the queue, the seats, the halts, the reporter), with
/// the pool of worker processes, the signals and the files.
class Coordinator::Run {
 public:
  Run(const RunSettings& settings, const std::vector<Item>& items, IdentityNow identity_now, RunObserver& observer,
      observe::EventLog& events, observe::Metrics& metrics);
  Result<Totals> run();

 private:
  // run_start.cpp: from the worklist to the first item, and from the last to the totals
  Status begin();
  void adopt_pixels();
  void decide_all();
  void loop();
  bool finished() const;
  void wait();
  void finish();
  RunView view() const { return {list_, queue_, seats_, halts_.text()}; }

  // run_workers.cpp: the workers' lives
  void start_workers();
  void start_worker(Seat& seat);
  void read_worker(Seat& seat);
  void check_worker(Seat& seat);
  void worker_ended(Seat& seat, const std::string& its_end);
  void replace_if_grown(Seat& seat);
  void lose(Seat& seat, const std::string& why);

  // run_items.cpp: what workers report of items
  void on_message(Seat& seat, const Json& message);
  void on_hello(Seat& seat, const Json& message);
  void on_waiting(Seat& seat, const std::string& why);
  void on_leased(Seat& seat);
  void on_estimated(Seat& seat, const Json& message);
  bool has_same_pixels(Seat& seat, const Pixels& pixels);
  void on_finished(Seat& seat, const Json& message);
  void on_done(Seat& seat, const Job& job, double seconds, ItemEnd end);
  void on_error(Seat& seat, ItemEnd end);
  void on_memory_error(const Seat& seat, ItemEnd end);
  void on_death(ItemNumber number, const std::string& why);
  void note_instability(ItemNumber number);
  bool lower(ItemNumber number, std::string_view why, std::optional<std::size_t> to = std::nullopt);
  void retry(const ItemEnd& end, std::string_view reason, int most = kMostAttempts);
  void end_item(const ItemEnd& end);
  std::optional<Decision> was_finished(ItemNumber number);

  // run_dispatch.cpp: who does what next
  void dispatch();
  void give_work(Seat& seat);
  void measure(Seat& seat, ItemNumber number);
  bool try_start(Seat& seat, ItemNumber number);
  void start_item(Seat& seat, ItemNumber number, Bytes need);
  Admission disk_room(ItemNumber number) const;

  // run_halts.cpp: signals, pauses, the end before the end
  void take_signals();
  void suspend();
  void check_pause_file();
  void pause();
  void resume();
  void check_disk();
  void wait_for_disk(ItemNumber number);
  void stop(std::string_view why, bool at_once = false,
            int signal = SIGINT);  ///< `signal`: for what items have started
  void check_stop();
  void sweep(const std::optional<Job>& job);

  const RunSettings& settings_;
  const std::vector<Item>& items_;
  RecordRules rules_;
  IdentityNow identity_now_;

  std::optional<RunFolder> folder_;
  std::optional<SignalQueue> signals_;
  Bytes share_;
  Worklist list_;
  RunQueue queue_{list_};
  Seats seats_;
  Halts halts_;
  RunReporter reporter_;
  WorkerPool workers_;
};

}  // namespace weir::jobs
