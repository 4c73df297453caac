#include "jobs/item_events.hpp"

#include <string>

#include <fmt/format.h>

#include "base/version.hpp"
#include "jobs/json.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {

using observe::Level;

void tell_run_start(std::size_t items, Bytes ram, Bytes share, observe::EventLog& events) {
  events.write(Level::info, "run_start",
               {{"items", items}, {"weir", kVersion}, {"ram", ram.count()}, {"share", share.count()}});
}

void tell_run_end(const Totals& totals, observe::EventLog& events) {
  events.write(Level::info, "run_end",
               {{"done", totals.done},
                {"redone", totals.redone},
                {"skipped", totals.skipped},
                {"failed", totals.failed},
                {"damaged", totals.damaged},
                {"interrupted", totals.interrupted},
                {"amount", totals.amount},
                {"seconds", totals.seconds}});
}

void tell_decision(const Item& item, const Decision& decision, observe::EventLog& events) {
  if (decision.action != Action::skip) return;
  Json fields{{"item", encode_path(item.outputs.front())}, {"why", decision.why}};
  if (!decision.damaged.empty()) fields["damaged"] = decision.damaged;
  events.write(decision.damaged.empty() ? Level::debug : Level::warning,
               decision.adopted ? "item_adopted" : "item_skip", fields);
}

void tell_item_end(const Item& item, const ItemEnd& end, std::string_view unit, observe::EventLog& events,
                   observe::Metrics& metrics) {
  metrics.add(metric::kItems, 1, {{"result", std::string{name_of(end.status)}}});
  if (!end.damaged.empty()) metrics.add(metric::kDamaged, 1);
  if (end.status == ItemStatus::skipped) return;
  metrics.add(metric::kWork, end.amount, {{"unit", std::string{unit}}});
  Json fields{{"item", encode_path(item.outputs.front())},
              {"device", end.device},
              {"seconds", end.seconds},
              {"sync_s", end.sync_s},
              {"amount", end.amount},
              {"redone", end.redone},
              {"variant", end.variant}};
  if (end.error) fields["error"] = to_json(*end.error);
  if (!end.damaged.empty()) fields["damaged"] = end.damaged;
  const bool done = end.status == ItemStatus::done;
  const Level level = !done ? Level::error : end.damaged.empty() ? Level::info : Level::warning;
  events.write(level, fmt::format("item_{}", name_of(end.status)), fields);
}

}  // namespace weir::jobs
