#include "jobs/run.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {
namespace {

constexpr std::size_t kMostFailures = 100;

}  // namespace

std::string_view name_of(ItemStatus status) {
  switch (status) {
    case ItemStatus::done:
      return "done";
    case ItemStatus::skipped:
      return "skipped";
    case ItemStatus::failed:
      return "failed";
    case ItemStatus::interrupted:
      return "interrupted";
  }
  return "failed";
}

ItemEnd end_without_work(ItemNumber number, const Decision& decision) {
  ItemEnd end;
  end.number = number;
  end.why = decision.why;
  end.error = decision.failure;
  end.damaged = decision.damaged;
  const bool stopped = decision.failure && decision.failure->code == Errc::cancelled;
  end.status = decision.action == Action::skip ? ItemStatus::skipped
               : stopped                       ? ItemStatus::interrupted
                                               : ItemStatus::failed;
  return end;
}

void Totals::count(const Item& item, const ItemEnd& end) {
  const bool finished = end.status == ItemStatus::done || end.status == ItemStatus::skipped;
  if (finished && !end.damaged.empty()) {
    ++damaged;
    if (damages.size() < kMostFailures)
      damages.push_back(fmt::format("{}: {}", shown_name(item), one_line(end.damaged)));
  }
  switch (end.status) {
    case ItemStatus::done:
      ++done;
      redone += end.redone ? 1 : 0;
      smaller_variant += end.variant.empty() ? 0 : 1;
      amount += end.amount;
      break;
    case ItemStatus::skipped:
      ++skipped;
      break;
    case ItemStatus::interrupted:
      interrupted = true;
      break;
    case ItemStatus::failed:
      ++failed;
      faults += end.fault ? 1 : 0;
      refused += end.refused ? 1 : 0;
      if (failures.size() < kMostFailures) {
        const std::string name = shown_name(item) + ": ";
        const std::string why = end.error ? one_line(end.error->what) : end.why;
        failures.push_back(why.starts_with(name) ? why : name + why);  // a decoder names the file, too
      }
  }
}

}  // namespace weir::jobs
