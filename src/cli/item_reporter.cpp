#include "cli/item_reporter.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::cli {
namespace {

// If standard error is not a terminal, a progress line of at most kPlainColumns columns is logged every kPlainInterval.
constexpr auto kPlainInterval = std::chrono::seconds{10};
constexpr int kPlainColumns = 200;

}  // namespace

void ItemReporter::on_decision(const jobs::Item& item, const jobs::Decision& decision) {
  if (decision.record_has_other_format && !std::exchange(format_warned_, true) && !args_.checkpoints.explain)
    log_.info(fmt::format("{}: done again: {} (reported once)", jobs::display_name(item), decision.why));
  if (!args_.checkpoints.explain) return;
  const bool is_work = decision.action == jobs::Action::work;
  const char* action_text = decision.action == jobs::Action::skip ? "skipped"
                            : is_work && decision.replace         ? "done again"
                            : is_work                             ? "to do"
                                                                  : "not done";
  const std::string why = decision.why.empty() && decision.failure ? one_line(decision.failure->what) : decision.why;
  log_.info(fmt::format("{}: {}: {}", jobs::display_name(item), action_text, why));
}

void ItemReporter::on_progress(const jobs::RunProgress& progress) {
  if (log_.shows_status()) return log_.set_status(progress_text(progress, log_.columns() - 1));
  const auto now = std::chrono::steady_clock::now();
  if (now - last_progress_time_ < kPlainInterval) return;
  last_progress_time_ = now;
  log_.info(progress_text(progress, kPlainColumns));
}

void ItemReporter::on_message(jobs::Severity severity, const std::string& text) {
  if (severity == jobs::Severity::error) return log_.error(text);
  if (severity == jobs::Severity::warning) return log_.warning(text);
  log_.info(text);
}

void ItemReporter::print_line(const nlohmann::ordered_json& json) {
  output_.print(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

std::string counts_text(const jobs::Totals& totals, std::string_view items, std::size_t refused) {
  std::string text = fmt::format("{} of {} {} done", totals.done, totals.items, items);
  if (totals.redone > 0) text += fmt::format(" ({} again)", totals.redone);
  if (totals.skipped > 0) text += fmt::format(", {} done before", totals.skipped);
  if (totals.failed > 0) text += fmt::format(", {} failed", totals.failed);
  if (refused > 0) text += fmt::format(" ({} refused)", refused);
  if (totals.damaged > 0) text += fmt::format(", {} damaged", totals.damaged);
  if (totals.smaller_variant > 0) text += fmt::format(", {} with a smaller variant", totals.smaller_variant);
  return text;
}

}  // namespace weir::cli
