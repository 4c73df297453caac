#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "jobs/watch.hpp"
#include "jobs/work_queue.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// Where the items wait that neither run nor have ended: to be measured, for a free device, for their next try, or for room on
/// the disk. Time is passed in. Not thread-safe.
class RunQueue {
 public:
  /// `list` says what items cost and write; it must outlive the queue and not change that of an item that waits for a device.
  explicit RunQueue(const Worklist& list) : list_{list} {}

  void add_unmeasured(ItemNumber number) { unmeasured_.push_back(number); }
  /// Before all others: it was measured already, on another variant or device.
  void measure_again(ItemNumber number) { unmeasured_.push_front(number); }
  std::optional<ItemNumber> take_unmeasured();
  bool has_unmeasured() const { return !unmeasured_.empty(); }

  void add(ItemNumber number);
  /// The item that the free device `which` should do now (WorkQueue::take).
  std::optional<ItemNumber> take(std::span<const Pace> devices, std::size_t which);

  void add_delayed(ItemNumber number, Clock::time_point until) { delayed_.emplace_back(until, number); }
  /// Those whose time has come wait for a device from now on.
  void release_delayed(Clock::time_point now);

  void add_without_room(ItemNumber number) { without_room_.push_back(number); }
  std::span<const ItemNumber> without_room() const { return without_room_; }
  /// They wait for a device from now on.
  void release_without_room();
  /// Some wait for room, and nothing else waits.
  bool needs_room() const;

  bool empty() const { return size() == 0 && without_room_.empty(); }
  /// Of those that do not wait for room.
  std::size_t size() const { return queue_.size() + unmeasured_.size() + delayed_.size(); }
  double cost() const { return cost_; }     ///< of those that wait for a device
  Bytes output() const { return output_; }  ///< that these are expected to write

 private:
  const Worklist& list_;
  std::deque<ItemNumber> unmeasured_;
  WorkQueue queue_;
  std::vector<std::pair<Clock::time_point, ItemNumber>> delayed_;
  std::vector<ItemNumber> without_room_;
  double cost_ = 0;
  Bytes output_;
};

}  // namespace weir::jobs
