#pragma once

#include <string>
#include <string_view>

#include "jobs/coordinator.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_queue.hpp"
#include "jobs/seats.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// The parts of a run that a report looks at.
struct RunView {
  const Worklist& list;
  const RunQueue& queue;
  const Seats& seats;
  std::string_view halted;  ///< Halts::text
};

RunProgress progress_of(const RunView& run, const Totals& totals, Clock::duration spent);

/// What a run gives out of itself: events, metrics, notes to the observer, progress, its state file, its totals. Time is
/// passed in. Not thread-safe.
class RunReporter {
 public:
  /// The references must outlive it. `began`: from when the run's seconds count.
  RunReporter(const RunSettings& settings, RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics,
              std::size_t items, Clock::time_point began);
  /// From now on the state is written there, and the events too. It must outlive the reporter. Where it cannot be written
  /// the run goes on.
  void use_folder(const RunFolder& folder);

  void log(observe::Level level, std::string_view event, const Json& fields = Json::object());
  void notify(Loudness loudness, const std::string& text) { observer_.said(loudness, text); }
  void count_restart(const Seat& seat, std::string_view reason);

  void run_start(Bytes share);
  void decision(const Item& item, const Decision& decision);
  void item_start(const Seat& seat, const Worklist& list, Clock::time_point now);
  /// `message`: of a worker whose try at the item of `seat` has come to its end, well or not, after `seconds`.
  void item_tried(const Seat& seat, const Item& item, const Json& message, double seconds);
  /// Of the worker after an item.
  void memory(const Seat& seat);
  void variant_change(const Item& item, const std::string& variant, std::string_view why);
  /// `end`: of the attempt that failed.
  void retry(const Item& item, const ItemEnd& end, std::string_view reason, int attempt, Clock::duration pause);
  void item_end(const Item& item, const ItemEnd& end);

  const Totals& totals() const { return totals_; }
  void set_interrupted() { totals_.interrupted = true; }
  void set_fatal(Error why) { totals_.fatal = std::move(why); }

  /// Four times a second at most to the observer, once to the state file, every two seconds to the file of metrics.
  void progress(const RunView& run, Clock::time_point now);
  void write_state(const RunView& run, Clock::time_point now) { write_state(run, now, false); }
  /// The last of all, with the totals complete.
  void run_end(const RunView& run, Clock::time_point now);

 private:
  void write_state(const RunView& run, Clock::time_point now, bool over);
  Json state_of(const RunView& run, const RunProgress& progress, bool over) const;
  void pool_figure(const Seat& seat, const std::string& figure, double value);

  const RunSettings& settings_;
  RunObserver& observer_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;
  const RunFolder* folder_ = nullptr;
  Totals totals_;
  Clock::time_point began_;
  Clock::time_point reported_{}, state_written_{}, metrics_written_{};
};

}  // namespace weir::jobs
