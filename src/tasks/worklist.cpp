#include "tasks/worklist.hpp"

namespace weir::tasks {
namespace {

void count(const PictureOutcome& outcome, WorklistTotals& totals) {
  if (outcome.status == ItemStatus::interrupted) {
    totals.interrupted = true;
  } else if (outcome.status == ItemStatus::failed) {
    ++totals.failed;
    if (outcome.fault)
      ++totals.faults;
    else if (outcome.error->code == Errc::over_budget)
      ++totals.refused;
  } else {
    ++totals.done;
    totals.damaged += outcome.damage.empty() ? 0 : 1;
    totals.megapixels += 1e-6 * outcome.plan->output_width * outcome.plan->output_height;
  }
}

}  // namespace

WorklistTotals run_worklist(std::span<const PictureItem> items, const PictureSettings& settings,
                            WorklistObserver& observer, std::stop_token stop) {
  WorklistTotals totals;
  totals.items = items.size();
  for (std::size_t i = 0; i < items.size() && !totals.interrupted; ++i) {
    if (stop.stop_requested()) {
      totals.interrupted = true;
      break;
    }
    const PictureItem& item = items[i];
    observer.started(item, i + 1, items.size());
    PictureWatch watch;
    watch.progress = [&](const enhance::Progress& progress) { observer.progress(item, progress); };
    watch.stop = stop;
    const PictureOutcome outcome = run_picture(item, settings, watch);
    count(outcome, totals);
    observer.finished(item, outcome);
  }
  return totals;
}

}  // namespace weir::tasks
