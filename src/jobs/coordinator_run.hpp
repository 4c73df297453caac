#pragma once

// The implementation class of Coordinator; only its source files include this header.

#include <csignal>
#include <optional>
#include <vector>

#include "base/signal_queue.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_queue.hpp"
#include "jobs/run_reporter.hpp"
#include "jobs/stages.hpp"
#include "jobs/stop_controller.hpp"
#include "jobs/worker_pool.hpp"
#include "jobs/worker_slots.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// Connects the parts of a run: worklist, queue, worker slots, stop controller and reporter, which hold its state, and
/// the pool of worker processes, the signals and the run folder.
class Coordinator::Run {
 public:
  Run(const RunSettings& settings, const std::vector<Item>& items, IdentitySource identity_source,
      RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics);
  Result<Totals> run();

 private:
  // run_start.cpp: preparation, main loop and end of the run. adopt_compute_config() implements
  // RunSettings::same_pixels.
  Status prepare();
  void adopt_compute_config();
  void decide_items();
  /// Decides what to do with one item; ends it, or begins its first stage.
  void decide(ItemNumber number);
  /// Adds the prerequisites of the item's next stage (Stages) to the run; if there are none left, the item itself.
  void begin_next_stage(ItemNumber number);
  void fail_without_work(ItemNumber number, const Error& why);
  /// Returns the item's place among the prerequisites of another item; empty if none waits for it.
  std::optional<PartOf> part_of(ItemNumber number) const;
  void loop();
  bool is_finished() const;
  void wait_for_events();
  void finish();
  RunView view() const { return {worklist_, stages_, queue_, slots_, stop_controller_.idle_reason()}; }

  // run_workers.cpp: start, check and end of workers. drop_device() excludes a device from the run.
  void start_workers();
  void start_worker(WorkerSlot& slot);
  void read_worker(WorkerSlot& slot);
  void check_worker(WorkerSlot& slot);
  void on_worker_exit(WorkerSlot& slot, const std::string& exit_text);
  void replace_worker_if_needed(WorkerSlot& slot);
  void drop_device(WorkerSlot& slot, const std::string& why);

  // run_items.cpp: handling of messages from workers. on_NAME() handles the message NAME, or the event in its name.
  // enforce_config() drops a device whose results would have another ComputeConfig than the run requires.
  void on_message(WorkerSlot& slot, const Json& message);
  void on_hello(WorkerSlot& slot, const Json& message);
  void on_waiting(WorkerSlot& slot, const std::string& why);
  void on_leased(WorkerSlot& slot);
  void on_estimated(WorkerSlot& slot, const Json& message);
  bool enforce_config(WorkerSlot& slot, const ComputeConfig& config);
  void on_finished(WorkerSlot& slot, const Json& message);
  void on_item_done(WorkerSlot& slot, const WorkerJob& job, double seconds, ItemResult result);
  void on_item_error(WorkerSlot& slot, ItemResult result);
  void on_memory_error(const WorkerSlot& slot, ItemResult result);
  void on_worker_death(ItemNumber number, const std::string& how);
  void record_instability(ItemNumber number);
  bool use_smaller_variant(ItemNumber number, std::string_view why, std::optional<std::size_t> variant = std::nullopt);
  void retry(const ItemResult& result, std::string_view reason, int max_attempts = kMaxAttempts);
  void end_item(const ItemResult& result);
  /// Removes what the prerequisites of an item that is done have left (Prerequisites::release).
  void release_prerequisites(const Item& item);
  std::optional<Decision> find_finished_result(ItemNumber number);

  // run_dispatch.cpp: assignment of items to workers. process() and try_start() return false if the item must wait for
  // memory.
  void dispatch();
  void assign_work(WorkerSlot& slot);
  bool start_next_estimate(WorkerSlot& slot);
  bool process(WorkerSlot& slot, ItemNumber number);
  bool must_show_config(const WorkerSlot& slot, ItemNumber number) const;
  void start_estimate(WorkerSlot& slot, ItemNumber number);
  bool try_start(WorkerSlot& slot, ItemNumber number);
  void start_item(WorkerSlot& slot, ItemNumber number, Bytes need);
  Admission disk_admission(ItemNumber number) const;

  // run_stops.cpp: signals, pauses, a full disk, early stop. suspend() suspends this process, pause() the workers.
  // close_job() ends the item of a worker that has ended, or was abandoned, during a stop.
  void handle_signals();
  void suspend();
  void check_pause_file();
  void pause();
  void resume();
  void check_disk();
  void requeue_for_disk(ItemNumber number);
  /// Starts the stop of the run; during a stop, a call only applies `at_once`. `why`: the reason, for the event log.
  /// `at_once`: the workers get no more time to end by themselves. `signal`: the signal that workers pass on to the
  /// processes of their items.
  void stop(std::string_view why, bool at_once = false, int signal = SIGINT);
  void check_stop();
  void close_job(const std::optional<WorkerJob>& job);

  const RunSettings& settings_;
  const std::vector<Item>& items_;
  RecordRules rules_;
  IdentitySource identity_source_;

  std::optional<RunFolder> folder_;
  std::optional<SignalQueue> signals_;
  Bytes ram_per_worker_;
  Worklist worklist_;
  Stages stages_;
  RunQueue queue_{worklist_};
  WorkerSlots slots_;
  StopController stop_controller_;
  RunReporter reporter_;
  WorkerPool workers_;
};

}  // namespace weir::jobs
