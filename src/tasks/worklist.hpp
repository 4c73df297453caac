#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "tasks/picture_task.hpp"

namespace weir::tasks {

/// Is told what happens to the items, from the thread that runs the worklist.
class WorklistObserver {
 public:
  virtual ~WorklistObserver() = default;
  virtual void on_item_started(const PictureItem& item, std::size_t number, std::size_t count) = 0;  ///< number from 1
  virtual void on_progress(const PictureItem& item, const enhance::Progress& progress) = 0;
  virtual void on_item_finished(const PictureItem& item, const PictureResult& result) = 0;
};

struct WorklistTotals {
  std::size_t items = 0;
  std::size_t done = 0;     ///< or planned, in a dry run
  std::size_t failed = 0;   ///< refused ones and faults included
  std::size_t refused = 0;  ///< for want of memory
  std::size_t internal_errors = 0;
  std::size_t damaged = 0;  ///< of those done, from a damaged input
  bool interrupted = false;
  double megapixels = 0;  ///< written
};

/// Runs the items one after the other; a bad one does not keep the others from being done. Ends early when stopped.
WorklistTotals run_worklist(std::span<const PictureItem> items, const PictureSettings& settings,
                            WorklistObserver& observer, std::stop_token stop);

}  // namespace weir::tasks
