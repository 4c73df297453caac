#include "jobs/run.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {
namespace {

constexpr std::size_t kMaxMessages = 100;  // in each list of messages in Totals

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

ItemResult result_without_work(ItemNumber number, const Decision& decision) {
  ItemResult result;
  result.number = number;
  result.why = decision.why;
  result.error = decision.failure;
  result.damage = decision.damage;
  const bool stopped = decision.failure && decision.failure->code == Errc::cancelled;
  result.status = decision.action == Action::skip ? ItemStatus::skipped
                  : stopped                       ? ItemStatus::interrupted
                                                  : ItemStatus::failed;
  return result;
}

void Totals::add(const Item& item, const ItemResult& result) {
  if (result.is_prerequisite) {
    if (result.status == ItemStatus::done) amount += result.amount;
    return;
  }
  const bool finished = result.status == ItemStatus::done || result.status == ItemStatus::skipped;
  if (finished && !result.damage.empty()) {
    ++damaged;
    if (damage_messages.size() < kMaxMessages)
      damage_messages.push_back(fmt::format("{}: {}", display_name(item), one_line(result.damage)));
  }
  switch (result.status) {
    case ItemStatus::done:
      ++done;
      redone += result.redone ? 1 : 0;
      smaller_variant += result.variant.empty() ? 0 : 1;
      amount += result.amount;
      break;
    case ItemStatus::skipped:
      ++skipped;
      break;
    case ItemStatus::interrupted:
      interrupted = true;
      break;
    case ItemStatus::failed:
      ++failed;
      internal_errors += result.internal_error ? 1 : 0;
      refused += result.refused ? 1 : 0;
      if (failure_messages.size() < kMaxMessages) {
        const std::string name = display_name(item) + ": ";
        const std::string why = result.error ? one_line(result.error->what) : result.why;
        // A decoder's message may start with the file name already.
        failure_messages.push_back(why.starts_with(name) ? why : name + why);
      }
  }
}

}  // namespace weir::jobs
