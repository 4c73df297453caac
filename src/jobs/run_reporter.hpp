#pragma once

#include <string>
#include <string_view>

#include "jobs/coordinator.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_queue.hpp"
#include "jobs/worker_slots.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// The parts of a run that a report looks at.
struct RunView {
  const Worklist& worklist;
  const RunQueue& queue;
  const WorkerSlots& slots;
  std::string_view pause_reason;  ///< Halts::text
};

RunProgress make_progress(const RunView& run, const Totals& totals, Clock::duration elapsed);

/// What a run gives out of itself: events, metrics, notes to the observer, progress, its state file, its totals. Time is
/// passed in. Not thread-safe.
class RunReporter {
 public:
  /// The references must outlive it. `began`: from when the run's seconds count.
  RunReporter(const RunSettings& settings, RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics,
              std::size_t items, Clock::time_point start);
  /// From now on the state is written there, and the events too. It must outlive the reporter. Where it cannot be written
  /// the run goes on.
  void set_folder(const RunFolder& folder);

  void log(observe::Level level, std::string_view event, const Json& fields = Json::object());
  void notify(Severity severity, const std::string& text) { observer_.on_message(severity, text); }
  void count_restart(const WorkerSlot& slot, std::string_view reason);

  void report_run_start(Bytes share);
  void report_decision(const Item& item, const Decision& decision);
  void report_item_start(const WorkerSlot& slot, const Worklist& worklist, Clock::time_point now);
  /// `message`: of a worker whose try at the item of `seat` has come to its end, well or not, after `seconds`.
  void report_attempt(const WorkerSlot& slot, const Item& item, const Json& message, double seconds);
  /// Of the worker after an item.
  void report_memory(const WorkerSlot& slot);
  void report_variant_change(const Item& item, const std::string& variant, std::string_view why);
  /// `end`: of the attempt that failed.
  void report_retry(const Item& item, const ItemResult& result, std::string_view reason, int attempt,
                    Clock::duration delay);
  void report_item_result(const Item& item, const ItemResult& result);

  const Totals& totals() const { return totals_; }
  void set_interrupted() { totals_.interrupted = true; }
  void set_fatal(Error why) { totals_.fatal = std::move(why); }

  /// Four times a second at most to the observer, once to the state file, every two seconds to the file of metrics.
  void report_progress(const RunView& run, Clock::time_point now);
  void write_state(const RunView& run, Clock::time_point now) { write_state(run, now, false); }
  /// The last of all, with the totals complete.
  void report_run_end(const RunView& run, Clock::time_point now);

 private:
  void write_state(const RunView& run, Clock::time_point now, bool over);
  Json state_of(const RunView& run, const RunProgress& progress, bool over) const;
  void set_pool_metric(const WorkerSlot& slot, const std::string& statistic, double value);

  const RunSettings& settings_;
  RunObserver& observer_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  const RunFolder* folder_ = nullptr;
  Totals totals_;
  Clock::time_point start_;
  Clock::time_point progress_reported_{}, state_written_{}, metrics_written_{};
};

}  // namespace weir::jobs
