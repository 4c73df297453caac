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

/// Holds the items that neither run nor have ended. They wait to be estimated, for a free device, for their next
/// attempt, or for free disk space. The caller passes the time. Not thread-safe.
class RunQueue {
 public:
  /// `worklist` holds the items' estimates. It must outlive the queue, and the estimate of an item that waits for a
  /// device must not change.
  explicit RunQueue(const Worklist& worklist) : worklist_{worklist} {}

  void add_unestimated(ItemNumber number) { unestimated_.push_back(number); }
  /// Adds an item that needs another estimate, because its variant or device changes. It is the next one to be
  /// estimated.
  void estimate_again(ItemNumber number) { unestimated_.push_front(number); }
  /// Removes and returns the next item to estimate.
  std::optional<ItemNumber> take_unestimated();
  bool has_unestimated() const { return !unestimated_.empty(); }

  /// Adds an estimated item, which then waits for a device.
  void add(ItemNumber number);
  /// Removes and returns the item that the free device `devices[device_index]` should process now; empty: none
  /// (WorkQueue::take).
  std::optional<ItemNumber> take(std::span<const DeviceLoad> devices, std::size_t device_index);

  /// Adds an item whose next attempt may not start before `until`.
  void add_delayed(ItemNumber number, Clock::time_point until) { delayed_.emplace_back(until, number); }
  /// Moves the items whose delay is over to those that wait for a device.
  void release_delayed(Clock::time_point now);

  void add_waiting_for_disk(ItemNumber number) { waiting_for_disk_.push_back(number); }
  std::span<const ItemNumber> waiting_for_disk() const { return waiting_for_disk_; }
  /// Moves the items that wait for disk space to those that wait for a device.
  void release_waiting_for_disk();
  /// Returns true if items wait for disk space and no item waits for anything else.
  bool waits_only_for_disk() const;

  /// Returns true if no item waits for anything.
  bool empty() const { return count_without_disk_waits() == 0 && waiting_for_disk_.empty(); }
  /// Returns the number of all waiting items except those that wait for disk space.
  std::size_t count_without_disk_waits() const { return ready_.size() + unestimated_.size() + delayed_.size(); }
  /// Returns the total cost (Estimate::cost) of the items that wait for a device.
  double waiting_cost() const { return waiting_cost_; }
  /// Returns how many bytes the items that wait for a device are expected to write.
  Bytes waiting_output() const { return waiting_output_; }

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
