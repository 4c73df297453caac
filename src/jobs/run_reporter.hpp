#pragma once

#include <string>
#include <string_view>

#include "jobs/coordinator.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_queue.hpp"
#include "jobs/stages.hpp"
#include "jobs/worker_slots.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// The parts of a run from which its progress is computed.
struct RunView {
  const Worklist& worklist;
  const Stages& stages;
  const RunQueue& queue;
  const WorkerSlots& slots;
  std::string_view idle_reason;  ///< StopController::idle_reason()
};

/// Returns the progress of a run. `start`: the start time of the run.
RunProgress make_progress(const RunView& run, const Totals& totals, Clock::time_point start, Clock::time_point now);

/// Writes everything that a run reports: events, metrics, messages to the observer, progress, the state file and the
/// totals. The caller passes the time. Not thread-safe.
class RunReporter {
 public:
  /// The references must outlive the object. `items`: number of items; `start`: the start time of the run.
  RunReporter(const RunSettings& settings, RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics,
              std::size_t items, Clock::time_point start);
  /// Also writes the state and the events to this folder from now on. The folder must outlive the reporter. Write
  /// errors are ignored.
  void set_folder(const RunFolder& folder);

  /// Writes an event.
  void log(observe::Level level, std::string_view event, const Json& fields = Json::object());
  /// Sends a message to the observer.
  void notify(Severity severity, const std::string& text) { observer_.on_message(severity, text); }
  /// Counts the restart of a worker in the metrics. `reason`: label value, such as "died".
  void count_restart(const WorkerSlot& slot, std::string_view reason);

  /// Reports the start of the run. `share`: memory limit of each worker.
  void report_run_start(Bytes share);
  /// `part_of`: the item's place among the prerequisites of another item, also in the functions below.
  void report_decision(const Item& item, const Decision& decision, const std::optional<PartOf>& part_of = {});
  void report_item_start(const WorkerSlot& slot, const Worklist& worklist, const std::optional<PartOf>& part_of,
                         Clock::time_point now);
  /// Reports an attempt that ended, successful or not, after `seconds`. `message`: the worker's message `finished`.
  void report_attempt(const WorkerSlot& slot, const Item& item, const Json& message, double seconds);
  /// Reports the memory of a worker after an item.
  void report_memory(const WorkerSlot& slot);
  void report_variant_change(const Item& item, const std::string& variant, std::string_view why);
  /// Reports that the item is tried again after `delay`. `attempt`: number of the attempt that failed; `result`: its
  /// result. `reason`: label value for the metrics, such as "worker_died". The message for the user contains the error
  /// in `result`, not `reason`.
  void report_retry(const Item& item, const ItemResult& result, std::string_view reason, int attempt,
                    Clock::duration delay);
  void report_item_result(const Item& item, const ItemResult& result, const std::optional<PartOf>& part_of = {});

  const Totals& totals() const { return totals_; }
  void set_interrupted() { totals_.interrupted = true; }
  /// Stores why the run stops early (Totals::fatal).
  void set_fatal(Error why) { totals_.fatal = std::move(why); }

  /// Reports progress if it is due: at most four times a second to the observer, at most once a second to the state
  /// file, and at most every two seconds to the metrics file. Call it often.
  void report_progress(const RunView& run, Clock::time_point now);
  /// Writes the state file now.
  void write_state(const RunView& run, Clock::time_point now) { write_state(run, now, /*over=*/false); }
  /// Reports the end of the run and completes the totals. Call it last.
  void report_run_end(const RunView& run, Clock::time_point now);

 private:
  // `over`: the run has ended.
  void write_state(const RunView& run, Clock::time_point now, bool over);
  Json state_of(const RunView& run, const RunProgress& progress, bool over) const;
  // Adds to the metric of the device's time in one stage.
  void add_stage_seconds(const WorkerSlot& slot, const std::string& stage, double seconds);
  // Sets the metric of one value of a worker's pool of GPU memory. `statistic`: its name, such as "hits" or "peak".
  void set_memory_pool_metric(const WorkerSlot& slot, const std::string& statistic, double value);

  const RunSettings& settings_;
  RunObserver& observer_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  const RunFolder* folder_ = nullptr;
  Totals totals_;
  Clock::time_point start_;
  Clock::time_point progress_reported_{}, state_written_{}, metrics_written_{};  // times of the last reports
};

}  // namespace weir::jobs
