#include "jobs/stages.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {

void Stages::wait(ItemNumber item, ItemNumber first, std::size_t count) {
  waiting_[item] = {.left = count, .failure = {}};
  for (std::size_t i = 0; i < count; ++i) dependent_of_[first + static_cast<ItemNumber>(i)] = item;
}

std::optional<Stages::StageEnd> Stages::end(ItemNumber item, const std::string& name,
                                            const std::optional<Error>& error) {
  const auto dependent = dependent_of_.find(item);
  if (dependent == dependent_of_.end()) return std::nullopt;
  Waiting& waiting = waiting_.at(dependent->second);
  if (error && !waiting.failure)
    waiting.failure = Error{error->code, fmt::format("{}: {}", name, one_line(error->what))};
  if (--waiting.left > 0) return std::nullopt;
  StageEnd stage_end{dependent->second, std::move(waiting.failure)};
  waiting_.erase(stage_end.item);
  return stage_end;
}

}  // namespace weir::jobs
