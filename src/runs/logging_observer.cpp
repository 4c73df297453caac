#include "runs/logging_observer.hpp"

#include <chrono>
#include <optional>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/item_events.hpp"

namespace weir::runs {

void LoggingObserver::on_decision(const jobs::Item& item, const jobs::Decision& decision) {
  observer_.on_decision(item, decision);
  jobs::log_decision(item, decision, std::nullopt, logs_.events);
}

void LoggingObserver::on_item_result(const jobs::Item& item, const jobs::ItemResult& result) {
  observer_.on_item_result(item, result);
  // An InProcessRun processes pictures, whose unit is the default (megapixels).
  jobs::log_item_result(item, result, std::nullopt, jobs::RunSettings{}.unit, logs_.events, logs_.metrics);
}

void LoggingObserver::on_progress(const jobs::RunProgress& progress) {
  observer_.on_progress(progress);
  wait_while_paused();
}

bool LoggingObserver::is_paused() const {
  std::error_code ignored;
  return !pause_file_.empty() && !stop_.stop_requested() && std::filesystem::exists(pause_file_, ignored);
}

void LoggingObserver::wait_while_paused() {
  if (!is_paused()) return;
  observer_.on_message(jobs::Severity::note, fmt::format("paused while {} exists", printable(pause_file_.native())));
  while (is_paused()) std::this_thread::sleep_for(std::chrono::milliseconds{100});
  if (!stop_.stop_requested()) observer_.on_message(jobs::Severity::note, "goes on");
}

}  // namespace weir::runs
