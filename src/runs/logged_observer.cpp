#include "runs/logged_observer.hpp"

#include <chrono>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "base/text.hpp"
#include "jobs/coordinator.hpp"
#include "jobs/item_events.hpp"

namespace weir::runs {

void LoggedObserver::decided(const jobs::Item& item, const jobs::Decision& decision) {
  watcher_.decided(item, decision);
  jobs::tell_decision(item, decision, logs_.events);
}

void LoggedObserver::ended(const jobs::Item& item, const jobs::ItemEnd& end) {
  watcher_.ended(item, end);
  jobs::tell_item_end(item, end, jobs::RunSettings{}.unit, logs_.events, logs_.metrics);
}

void LoggedObserver::progress(const jobs::RunProgress& progress) {
  watcher_.progress(progress);
  wait_while_paused();
}

bool LoggedObserver::is_paused() const {
  std::error_code ignored;
  return !pause_file_.empty() && !stop_.stop_requested() && std::filesystem::exists(pause_file_, ignored);
}

void LoggedObserver::wait_while_paused() {
  if (!is_paused()) return;
  watcher_.said(jobs::Loudness::note, fmt::format("paused while {} exists", printable(pause_file_.native())));
  while (is_paused()) std::this_thread::sleep_for(std::chrono::milliseconds{100});
  if (!stop_.stop_requested()) watcher_.said(jobs::Loudness::note, "goes on");
}

}  // namespace weir::runs
