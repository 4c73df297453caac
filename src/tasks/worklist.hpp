#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// Receives the events of run_worklist(), on its thread.
class WorklistObserver {
 public:
  virtual ~WorklistObserver() = default;
  /// `number`: number of the item, from 1; `count`: number of all items.
  virtual void on_item_started(const PictureItem& item, std::size_t number, std::size_t count) = 0;
  virtual void on_progress(const PictureItem& item, const enhance::Progress& progress) = 0;
  virtual void on_item_finished(const PictureItem& item, const PictureResult& result) = 0;
};

/// The totals of run_worklist(). All integers are numbers of items.
struct WorklistTotals {
  std::size_t items = 0;            ///< all items of the list
  std::size_t done = 0;             ///< successful: done, or planned in a dry run
  std::size_t failed = 0;           ///< failed; includes `refused` and `internal_errors`
  std::size_t refused = 0;          ///< failed because they need more memory than the limit
  std::size_t internal_errors = 0;  ///< failed because of a defect of weir
  std::size_t damaged = 0;          ///< done from a damaged input
  bool interrupted = false;         ///< a stop was requested before all items ended
  double megapixels = 0;            ///< size of all output pictures, written or planned
};

/// Enlarges (or, in a dry run, plans) the pictures one after the other in this process. A failed picture does not end
/// the call; a stop request ends it early.
WorklistTotals run_worklist(std::span<const PictureItem> items, const PictureSettings& settings,
                            WorklistObserver& observer, std::stop_token stop);

}  // namespace weir::tasks
