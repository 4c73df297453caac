#include "jobs/stages.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {

void Stages::wait(ItemNumber item, ItemNumber first, std::size_t count) {
  waiting_[item] = {.first = first, .count = count, .left = count, .failure = {}};
  const Part part{.item = item, .stage = next_stage_[item] - 1, .first = first, .count = count};
  for (std::size_t i = 0; i < count; ++i) parts_[first + static_cast<ItemNumber>(i)] = part;
}

const Stages::Part* Stages::part(ItemNumber item) const {
  const auto found = parts_.find(item);
  return found == parts_.end() ? nullptr : &found->second;
}

bool Stages::waits_for_first(ItemNumber item, const Waiting& waiting) const {
  const auto next = next_stage_.find(item);
  return waiting.count == 1 && next != next_stage_.end() && next->second == 1;
}

bool Stages::goes_first(ItemNumber item) const {
  if (const auto next = next_stage_.find(item); next != next_stage_.end() && next->second > 1) return true;
  const Part* const place = part(item);
  if (place == nullptr) return false;
  const auto waiting = waiting_.find(place->item);
  return waiting != waiting_.end() && waits_for_first(waiting->first, waiting->second);
}

bool Stages::has_unknown_work() const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const auto& waiting) { return waits_for_first(waiting.first, waiting.second); });
}

std::vector<Stages::WaitingItem> Stages::waiting(std::size_t max_count) const {
  std::vector<WaitingItem> items;
  items.reserve(std::min(max_count, waiting_.size()));
  for (const auto& [item, waiting] : waiting_) {
    if (items.size() == max_count) break;
    items.push_back({.item = item, .first = waiting.first, .count = waiting.count, .left = waiting.left});
  }
  return items;
}

std::optional<Stages::StageEnd> Stages::end(ItemNumber item, const std::string& name,
                                            const std::optional<Error>& error) {
  const Part* const place = part(item);
  if (place == nullptr) return std::nullopt;
  Waiting& waiting = waiting_.at(place->item);
  if (error && !waiting.failure)
    waiting.failure = Error{error->code, fmt::format("{}: {}", name, one_line(error->what))};
  if (--waiting.left > 0) return std::nullopt;
  StageEnd stage_end{place->item, std::move(waiting.failure)};
  waiting_.erase(stage_end.item);
  return stage_end;
}

}  // namespace weir::jobs
