#include "jobs/run_queue.hpp"

#include <algorithm>

namespace weir::jobs {

std::optional<ItemNumber> RunQueue::take_unestimated() {
  if (unestimated_.empty()) return std::nullopt;
  const auto next = unestimated_.extract(unestimated_.begin());
  return next.value().second;
}

void RunQueue::add(ItemNumber number) {
  const Estimate& estimate = worklist_[number].estimate;
  Kind& kind = kind_of(number);
  kind.waiting_cost += estimate.cost;
  kind.estimated_cost += estimate.cost;
  ++kind.estimates;
  waiting_output_ += estimate.output;
  if (worklist_[number].goes_first)
    goes_first_.insert(number);
  else
    ready_.add(number, estimate.cost);
}

std::string_view RunQueue::ready_kind() const {
  const auto largest = ready_.largest();
  return largest ? std::string_view{worklist_.item(*largest).task} : std::string_view{};
}

std::optional<ItemNumber> RunQueue::take(std::span<const DeviceLoad> devices, std::size_t device_index) {
  const auto number = goes_first_.empty() ? ready_.take(devices, device_index)
                                          : std::optional{goes_first_.extract(goes_first_.begin()).value()};
  if (!number) return number;
  const Estimate& estimate = worklist_[*number].estimate;
  double& waiting_cost = kind_of(*number).waiting_cost;
  waiting_cost = std::max(0.0, waiting_cost - estimate.cost);
  waiting_output_ = waiting_output_ - estimate.output;
  return number;
}

std::optional<KindCosts> RunQueue::waiting_costs() const {
  KindCosts costs;
  for (const auto& [name, kind] : kinds_) costs[name] = kind.waiting_cost;
  for (const auto& [rank, number] : unestimated_) {
    const std::string& kind = worklist_.item(number).task;
    const auto average = average_cost(kind);
    if (!average) return std::nullopt;
    costs[kind] += *average;
  }
  return costs;
}

std::optional<double> RunQueue::average_cost(std::string_view kind) const {
  const auto found = kinds_.find(kind);
  if (found == kinds_.end() || found->second.estimates == 0) return std::nullopt;
  return found->second.estimated_cost / static_cast<double>(found->second.estimates);
}

void RunQueue::release_delayed(Clock::time_point now) {
  std::erase_if(delayed_, [&](const auto& delayed) {
    if (delayed.first > now) return false;
    add(delayed.second);
    return true;
  });
}

void RunQueue::release_waiting_for_disk() {
  for (const ItemNumber number : std::exchange(waiting_for_disk_, {})) add(number);
}

bool RunQueue::waits_only_for_disk() const { return !waiting_for_disk_.empty() && count_without_disk_waits() == 0; }

}  // namespace weir::jobs
