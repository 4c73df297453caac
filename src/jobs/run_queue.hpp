#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/retry_policy.hpp"
#include "jobs/work_queue.hpp"
#include "jobs/worklist.hpp"

namespace weir::jobs {

/// Holds the items that neither run nor have ended. They wait to be estimated, for a free device, for their next
/// attempt, or for free disk space. Items with ItemState::goes_first come before all others, in the order of the
/// worklist. The caller passes the time. Not thread-safe.
class RunQueue {
 public:
  /// `worklist` holds the items' estimates. It must outlive the queue, and the estimate of an item that waits for a
  /// device must not change.
  explicit RunQueue(const Worklist& worklist) : worklist_{worklist} {}

  /// Adds an item that has no estimate yet. Items are estimated in the order of the worklist.
  void add_unestimated(ItemNumber number) {
    unestimated_.emplace(worklist_[number].goes_first ? Rank::first : Rank::normal, number);
  }
  /// Adds an item that needs another estimate, because its variant or device changes. It is estimated before all others.
  void estimate_again(ItemNumber number) { unestimated_.emplace(Rank::again, number); }
  /// Removes and returns the next item to estimate.
  std::optional<ItemNumber> take_unestimated();
  bool has_unestimated() const { return !unestimated_.empty(); }

  /// Adds an estimated item, which then waits for a device.
  void add(ItemNumber number);
  /// Returns true if an item waits for a device.
  bool has_ready() const { return !goes_first_.empty() || !ready_.empty(); }
  /// Returns the kind (Item::task) of the items that take() distributes; empty if none waits.
  std::string_view ready_kind() const;
  /// Removes and returns the item that the free device `devices[device_index]` should process now; empty: none
  /// (WorkQueue::take). `devices`: their loads, with the speeds for items of ready_kind().
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
  std::size_t count_without_disk_waits() const {
    return goes_first_.size() + ready_.size() + unestimated_.size() + delayed_.size();
  }
  /// Returns the total costs (Estimate::cost) of the items that wait for a device or to be estimated, by kind. An item
  /// without an estimate counts as the average of its kind. Empty if none of its kind is estimated yet.
  std::optional<KindCosts> waiting_costs() const;
  /// Returns the average cost of all items of the kind that were estimated so far; empty if there is none.
  std::optional<double> average_cost(std::string_view kind) const;
  /// Returns how many bytes the items that wait for a device are expected to write.
  Bytes waiting_output() const { return waiting_output_; }

 private:
  enum class Rank { again, first, normal };
  // Sums over the items of one kind.
  struct Kind {
    double waiting_cost = 0;    // of items that wait for a device
    double estimated_cost = 0;  // of all estimates so far
    std::size_t estimates = 0;  // their number
  };
  Kind& kind_of(ItemNumber number) { return kinds_[worklist_.item(number).task]; }

  const Worklist& worklist_;
  std::set<std::pair<Rank, ItemNumber>> unestimated_;
  std::set<ItemNumber> goes_first_;  // those of the items that wait for a device
  WorkQueue ready_;                  // the others
  std::vector<std::pair<Clock::time_point, ItemNumber>> delayed_;
  std::vector<ItemNumber> waiting_for_disk_;
  std::map<std::string, Kind, std::less<>> kinds_;
  Bytes waiting_output_;
};

}  // namespace weir::jobs
