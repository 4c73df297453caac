#include "tasks/worklist.hpp"

namespace weir::tasks {
namespace {

/// Counts the result of one item in `totals`.
void add_to_totals(const PictureResult& result, WorklistTotals& totals) {
  if (result.status == ItemStatus::interrupted) {
    totals.interrupted = true;
  } else if (result.status == ItemStatus::failed) {
    ++totals.failed;
    if (result.internal_error)
      ++totals.internal_errors;
    else if (result.error->code == Errc::over_budget)
      ++totals.refused;
  } else {
    ++totals.done;
    totals.damaged += result.damage.empty() ? 0 : 1;
    totals.megapixels += 1e-6 * result.plan->output_width * result.plan->output_height;
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
    observer.on_item_started(item, i + 1, items.size());
    PictureCallbacks callbacks;
    callbacks.progress = [&](const enhance::Progress& progress) { observer.on_progress(item, progress); };
    callbacks.stop = stop;
    const PictureResult result = upscale_picture(item, settings, callbacks);
    add_to_totals(result, totals);
    observer.on_item_finished(item, result);
  }
  return totals;
}

}  // namespace weir::tasks
