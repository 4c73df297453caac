#include "jobs/run_reporter.hpp"

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "base/text.hpp"
#include "base/this_process.hpp"
#include "jobs/item_events.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {
namespace {

using observe::Level;
constexpr auto kProgress = std::chrono::milliseconds{250};
constexpr auto kState = std::chrono::seconds{1};
constexpr auto kMetricsFile = std::chrono::seconds{2};

double seconds_of(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string event_name(const Item& item) { return encode_path(item.outputs.front()); }

Json devices_of(const Seats& seats, const RunProgress& progress) {
  Json devices = Json::array();
  for (const Seat& seat : seats) {
    const RunProgress::Device& shown = progress.devices[seats.index_of(seat)];
    devices.push_back({{"name", seat.device->name},
                       {"worker", seat.worker != 0 ? Json(seat.worker) : Json()},
                       {"item", shown.item},
                       {"fraction", shown.fraction},
                       {"items", seat.totals.items},
                       {"amount", seat.totals.amount},
                       {"busy_s", seat.totals.busy_s},
                       {"rss", seat.rss.count()},
                       {"lost", seat.lost}});
  }
  return devices;
}

}  // namespace

/// What is not measured yet makes the time that is left unknown.
RunProgress progress_of(const RunView& run, const Totals& totals, Clock::duration spent) {
  RunProgress progress;
  progress.items = run.list.size();
  progress.ended = run.list.size() - run.list.remaining();
  progress.amount = totals.amount;
  progress.seconds = seconds_of(spent);
  if (!run.queue.has_unmeasured()) progress.left_s = run.seats.seconds_left(run.queue.cost());
  progress.halted = run.halted;
  for (const Seat& seat : run.seats) {
    RunProgress::Device device{.name = seat.device->name, .item = {}, .fraction = 0};
    if (seat.running()) {
      device.item = shown_name(run.list.item(seat.job->number));
      device.fraction = seat.job->fraction;
      progress.amount += seat.job->amount;
    }
    progress.devices.push_back(std::move(device));
  }
  return progress;
}

RunReporter::RunReporter(const RunSettings& settings, RunObserver& observer, observe::EventLog& events,
                         observe::Metrics& metrics, std::size_t items, Clock::time_point began)
    : settings_{settings}, observer_{observer}, events_{events}, metrics_{metrics}, began_{began} {
  totals_.items = items;
}

void RunReporter::use_folder(const RunFolder& folder) {
  folder_ = &folder;
  (void)events_.add_file(folder.events());
}

void RunReporter::log(Level level, std::string_view event, const Json& fields) { events_.write(level, event, fields); }

void RunReporter::count_restart(const Seat& seat, std::string_view reason) {
  metrics_.add(metric::kRestarts, 1, {{"device", seat.device->name}, {"reason", std::string{reason}}});
}

void RunReporter::run_start(Bytes share) { tell_run_start(totals_.items, settings_.ram, share, events_); }

void RunReporter::decision(const Item& item, const Decision& decision) {
  observer_.decided(item, decision);
  tell_decision(item, decision, events_);
}

void RunReporter::item_start(const Seat& seat, const Worklist& list, Clock::time_point now) {
  const ItemNumber number = seat.job->number;
  const ItemState& state = list[number];
  const double ram = static_cast<double>(state.estimate.ram.count());
  const double device = static_cast<double>(state.estimate.device.count());
  log(Level::info, "item_start",
      {{"item", event_name(list.item(number))},
       {"device", seat.device->name},
       {"worker", seat.worker},
       {"attempt", state.attempts},
       {"variant", list.variant_of(number)},
       {"cost", state.estimate.cost},
       {"planned_ram", state.estimate.ram.count()},
       {"planned_device", state.estimate.device.count()}});
  metrics_.add(metric::kStages, seconds_of(now - seat.idle_since), {{"stage", "wait"}});
  metrics_.set(metric::kPlanned, ram, {{"device", seat.device->name}, {"kind", "ram"}});
  metrics_.set(metric::kPlanned, device, {{"device", seat.device->name}, {"kind", "device"}});
}

void RunReporter::item_tried(const Seat& seat, const Item& item, const Json& message, double seconds) {
  observer_.tried(item, text_field(message, "report"));
  const Json stages = object_field(message, "seconds");
  for (const auto& [stage, spent] : stages.items()) {
    if (spent.is_number()) metrics_.add(metric::kStages, spent.get<double>(), {{"stage", stage}});
  }
  const Json pool = object_field(message, "pool_use");
  for (const auto& [figure, value] : pool.items()) {
    if (value.is_number()) pool_figure(seat, figure, value.get<double>());
  }
  metrics_.add(metric::kStages, number_field(message, "sync_s"), {{"stage", "sync"}});
  metrics_.add(metric::kBusy, seconds, {{"device", seat.device->name}});
}

void RunReporter::pool_figure(const Seat& seat, const std::string& figure, double value) {
  if (figure == "hits" || figure == "misses")
    metrics_.set(metric::kPoolRequests, value, {{"device", seat.device->name}, {"result", figure}});
  else
    metrics_.set(metric::kPool, value, {{"device", seat.device->name}, {"kind", figure}});
}

void RunReporter::memory(const Seat& seat) {
  const auto set_kind = [&](const char* kind, const memory::LevelSeries& levels) {
    const observe::Metrics::Labels labels{{"device", seat.device->name}, {"kind", kind}};
    metrics_.set(metric::kMeasured, levels.last(), labels);
    metrics_.set(metric::kLeak, levels.slope(), labels);
  };
  set_kind("ram", seat.growth.host);
  set_kind("pool", seat.growth.pool);
  set_kind("device", seat.growth.device);
  log(Level::debug, "memory",
      {{"device", seat.device->name},
       {"worker", seat.worker},
       {"rss", seat.rss.count()},
       {"slope", seat.growth.host.slope()},
       {"pool", static_cast<std::uint64_t>(seat.growth.pool.last())},
       {"device_memory", static_cast<std::uint64_t>(seat.growth.device.last())},
       {"coordinator_rss", resident().count()}});
}

void RunReporter::variant_change(const Item& item, const std::string& variant, std::string_view why) {
  log(Level::warning, "variant_change", {{"item", event_name(item)}, {"variant", variant}, {"why", why}});
  notify(Loudness::warning, fmt::format("{}: {}; going down to {}", shown_name(item), one_line(why), printable(variant)));
  metrics_.add(metric::kVariants, 1, {{"variant", variant}});
}

void RunReporter::retry(const Item& item, const ItemEnd& end, std::string_view reason, int attempt,
                        Clock::duration pause) {
  const std::string& why = end.error->what;
  log(Level::warning, "item_retry",
      {{"item", event_name(item)}, {"why", why}, {"attempt", attempt}, {"pause_s", seconds_of(pause)}});
  for (const std::string& note : end.notes)
    notify(Loudness::warning, fmt::format("{}: {}", shown_name(item), printable(note)));
  notify(Loudness::warning, fmt::format("{}: {}; it is tried again", shown_name(item), one_line(why)));
  metrics_.add(metric::kRetries, 1, {{"reason", std::string{reason}}});
}

void RunReporter::item_end(const Item& item, const ItemEnd& end) {
  totals_.count(item, end);
  observer_.ended(item, end);
  tell_item_end(item, end, settings_.unit, events_, metrics_);
}

void RunReporter::progress(const RunView& run, Clock::time_point now) {
  if (now - reported_ < kProgress) return;
  reported_ = now;
  observer_.progress(progress_of(run, totals_, now - began_));
  metrics_.set(metric::kQueue, static_cast<double>(run.queue.output().count()));
  metrics_.set(metric::kWaiting, static_cast<double>(run.queue.size()));
  if (now - state_written_ >= kState) {
    state_written_ = now;
    write_state(run, now);
  }
  if (!settings_.metrics_file.empty() && now - metrics_written_ >= kMetricsFile) {
    metrics_written_ = now;
    (void)metrics_.write(settings_.metrics_file);
  }
}

void RunReporter::run_end(const RunView& run, Clock::time_point now) {
  for (const Seat& seat : run.seats) totals_.devices.push_back(seat.totals);
  totals_.seconds = seconds_of(now - began_);
  tell_run_end(totals_, events_);
  write_state(run, now, true);
  if (!settings_.metrics_file.empty()) (void)metrics_.write(settings_.metrics_file);
}

void RunReporter::write_state(const RunView& run, Clock::time_point now, bool over) {
  if (folder_ != nullptr) folder_->write_state(state_of(run, progress_of(run, totals_, now - began_), over));
}

Json RunReporter::state_of(const RunView& run, const RunProgress& progress, bool over) const {
  Json state{{"pid", process_id()},
             {"updated", observe::timestamp_now()},
             {"over", over},
             {"interrupted", totals_.interrupted},
             {"items", totals_.items},
             {"done", totals_.done},
             {"redone", totals_.redone},
             {"skipped", totals_.skipped},
             {"failed", totals_.failed},
             {"smaller_variant", totals_.smaller_variant},
             {"damaged", totals_.damaged},
             {"damages", totals_.damages},
             {"unit", settings_.unit},
             {"amount", progress.amount},
             {"seconds", progress.seconds},
             {"halted", progress.halted},
             {"failures", totals_.failures},
             {"devices", devices_of(run.seats, progress)}};
  if (progress.left_s) state["left_s"] = *progress.left_s;
  return state;
}

}  // namespace weir::jobs
