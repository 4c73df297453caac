#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace weir::jobs {

/// A device as the queue sees it.
struct DeviceLoad {
  double speed = 0;   ///< measured cost per second; 0: not known yet
  double busy_s = 0;  ///< until it has finished what it does now
};

/// Items that wait, by cost. Not thread-safe.
class WorkQueue {
 public:
  using Number = std::uint32_t;  ///< of an item in the worklist
  void add(Number item, double cost) { waiting_.emplace(-cost, item); }
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

  /// The item that the free device `which` should do now: the largest, or near the end the largest of those that it would
  /// be given if all that is left were dealt out, longest first, each to the device that finishes it first. Empty if the
  /// others will be done sooner without it. Among devices of unknown speed all count as equal.
  std::optional<Number> take(std::span<const DeviceLoad> devices, std::size_t device_index);
  /// The largest; it stays.
  std::optional<Number> largest() const {
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.begin()->second};
  }

 private:
  std::set<std::pair<double, Number>> waiting_;  // the largest cost first; of equal ones the first of the worklist
};

}  // namespace weir::jobs
