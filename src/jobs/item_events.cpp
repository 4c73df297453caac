#include "jobs/item_events.hpp"

#include <string>

#include <fmt/format.h>

#include "base/version.hpp"
#include "jobs/json.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {

using observe::Level;

void log_run_start(std::size_t items, Bytes ram, Bytes share, std::string_view unit, observe::EventLog& events) {
  events.write(Level::info, "run_start",
               {{"items", items}, {"weir", kVersion}, {"ram", ram.count()}, {"share", share.count()}, {"unit", unit}});
}

void log_run_end(const Totals& totals, observe::EventLog& events) {
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

void add_part_of(Json& fields, const std::optional<PartOf>& part_of) {
  if (!part_of) return;
  fields["part_of"] = part_of->item;
  fields["stage"] = part_of->stage;
  fields["position"] = part_of->position;
  fields["count"] = part_of->count;
}

void log_decision(const Item& item, const Decision& decision, const std::optional<PartOf>& part_of,
                  observe::EventLog& events) {
  if (decision.action != Action::skip) return;
  Json fields{{"item", encode_path(item.outputs.front())}, {"why", decision.why}};
  if (!decision.damage.empty()) fields["damaged"] = decision.damage;
  add_part_of(fields, part_of);
  events.write(decision.damage.empty() ? Level::debug : Level::warning, decision.adopted ? "item_adopted" : "item_skip",
               fields);
}

void log_item_result(const Item& item, const ItemResult& result, const std::optional<PartOf>& part_of,
                     std::string_view unit, observe::EventLog& events, observe::Metrics& metrics) {
  metrics.add(metric::kItems, 1, {{"result", std::string{name_of(result.status)}}});
  if (!result.damage.empty()) metrics.add(metric::kDamagedItems, 1);
  if (result.status == ItemStatus::skipped) return;
  metrics.add(metric::kWork, result.amount, {{"unit", std::string{unit}}});
  Json fields{{"item", encode_path(item.outputs.front())},
              {"device", result.device},
              {"seconds", result.seconds},
              {"sync_s", result.sync_s},
              {"amount", result.amount},
              {"stage_seconds", result.stage_seconds},
              {"peak_rss", result.peak_rss.count()},
              {"attempts", result.attempts},
              {"redone", result.redone},
              {"variant", result.variant}};
  add_part_of(fields, part_of);
  if (result.error) fields["error"] = to_json(*result.error);
  if (!result.damage.empty()) fields["damaged"] = result.damage;
  const Level done_level = result.damage.empty() ? Level::info : Level::warning;
  events.write(result.status == ItemStatus::done ? done_level : Level::error,
               fmt::format("item_{}", name_of(result.status)), fields);
}

}  // namespace weir::jobs
