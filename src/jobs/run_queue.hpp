#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "jobs/retry_policy.hpp"
#include "jobs/work_queue.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// Where the items wait that neither run nor have ended: to be measured, for a free device, for their next try, or for room on
/// the disk. Time is passed in. Not thread-safe.
class RunQueue {
 public:
  /// `list` says what items cost and write; it must outlive the queue and not change that of an item that waits for a device.
  explicit RunQueue(const Worklist& worklist) : worklist_{worklist} {}

  void add_unestimated(ItemNumber number) { unestimated_.push_back(number); }
  /// Before all others: it was measured already, on another variant or device.
  void estimate_again(ItemNumber number) { unestimated_.push_front(number); }
  std::optional<ItemNumber> take_unestimated();
  bool has_unestimated() const { return !unestimated_.empty(); }

  void add(ItemNumber number);
  /// The item that the free device `which` should do now (WorkQueue::take).
  std::optional<ItemNumber> take(std::span<const DeviceLoad> devices, std::size_t device_index);

  void add_delayed(ItemNumber number, Clock::time_point until) { delayed_.emplace_back(until, number); }
  /// Those whose time has come wait for a device from now on.
  void release_delayed(Clock::time_point now);

  void add_waiting_for_disk(ItemNumber number) { waiting_for_disk_.push_back(number); }
  std::span<const ItemNumber> waiting_for_disk() const { return waiting_for_disk_; }
  /// They wait for a device from now on.
  void release_waiting_for_disk();
  /// Some wait for room, and nothing else waits.
  bool waits_only_for_disk() const;

  bool empty() const { return count_without_disk_waits() == 0 && waiting_for_disk_.empty(); }
  /// Of those that do not wait for room.
  std::size_t count_without_disk_waits() const { return ready_.size() + unestimated_.size() + delayed_.size(); }
  double waiting_cost() const { return waiting_cost_; }     ///< of those that wait for a device
  Bytes waiting_output() const { return waiting_output_; }  ///< that these are expected to write

 private:
  const Worklist& worklist_;
  std::deque<ItemNumber> unestimated_;
  WorkQueue ready_;
  std::vector<std::pair<Clock::time_point, ItemNumber>> delayed_;
  std::vector<ItemNumber> waiting_for_disk_;
  double waiting_cost_ = 0;
  Bytes waiting_output_;
};

}  // namespace weir::jobs
