#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace weir::jobs {

/// Total costs of items (Estimate::cost) by kind (Item::task). Costs of different kinds cannot be compared.
using KindCosts = std::map<std::string, double, std::less<>>;

/// The speed and load of a device.
struct DeviceLoad {
  double speed = 0;   ///< measured speed, in cost (Estimate::cost) per second; 0: not measured yet
  double busy_s = 0;  ///< expected seconds until it has finished its current item
};

/// The items that wait for a device, ordered by cost. "Largest" means: with the largest cost. Not thread-safe.
class WorkQueue {
 public:
  using Number = std::uint32_t;  ///< index of an item in the worklist (ItemNumber)
  void add(Number item, double cost) { waiting_.emplace(-cost, item); }
  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

  /// Removes and returns the item that the free device `devices[device_index]` should process now. With one device, or
  /// more than 256 waiting items, this is the largest item. Otherwise assigns all waiting items, the largest first,
  /// each to the device that would finish it first, and takes the largest item that is assigned to this device; returns
  /// an empty value if no item is. A device whose speed is not known counts as having the average of the known speeds.
  std::optional<Number> take(std::span<const DeviceLoad> devices, std::size_t device_index);
  /// Returns the largest item without removing it.
  std::optional<Number> largest() const {
    return waiting_.empty() ? std::nullopt : std::optional{waiting_.begin()->second};
  }

 private:
  std::set<std::pair<double, Number>> waiting_;  // the largest cost first; of equal ones the first of the worklist
};

}  // namespace weir::jobs
