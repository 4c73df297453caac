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
constexpr auto kProgressInterval = std::chrono::milliseconds{250};
constexpr auto kStateInterval = std::chrono::seconds{1};
constexpr auto kMetricsFileInterval = std::chrono::seconds{2};
constexpr std::size_t kMaxWaitingItems = 100;  // in RunProgress

double seconds_of(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Returns the value of the field "item" in events: the first output of the item.
std::string output_text(const Item& item) { return encode_path(item.outputs.front()); }

/// Returns the devices for the state file (run.json).
Json devices_json(const WorkerSlots& slots, const RunProgress& progress) {
  Json devices = Json::array();
  for (const WorkerSlot& slot : slots) {
    const RunProgress::Device& device_progress = progress.devices[slots.index_of(slot)];
    devices.push_back({{"name", slot.device->name},
                       {"worker", slot.worker != 0 ? Json(slot.worker) : Json()},
                       {"item", device_progress.item},
                       {"fraction", device_progress.fraction},
                       {"item_amount", device_progress.amount},
                       {"speed", device_progress.speed},
                       {"items", slot.totals.items},
                       {"amount", slot.totals.amount},
                       {"busy_s", slot.totals.busy_s},
                       {"stage_seconds", slot.totals.stage_seconds},
                       {"rss", slot.rss.count()},
                       {"lost", slot.lost}});
  }
  return devices;
}

/// Returns the items that wait for others for the state file.
Json waiting_json(const RunProgress& progress) {
  Json items = Json::array();
  for (const RunProgress::WaitingItem& waiting : progress.waiting) {
    items.push_back(
        {{"item", waiting.name}, {"kind", waiting.kind}, {"finished", waiting.finished}, {"count", waiting.count}});
  }
  return items;
}

/// Returns the expected time until the end of the run. It is unknown while an item waits for one whose result decides
/// what else is to be done, and while items of a kind wait of which none is estimated or was measured. Items that wait
/// for others count once an item of their kind was measured.
std::optional<double> remaining_s(const RunView& run, Clock::time_point now) {
  if (run.stages.has_unknown_work()) return std::nullopt;
  auto costs = run.queue.waiting_costs();
  for (const Stages::WaitingItem& waiting : run.stages.waiting(run.worklist.size())) {
    const std::string& kind = run.worklist.item(waiting.item).task;
    const auto cost = run.queue.average_cost(kind);
    if (costs && cost && run.slots.is_measured(kind)) (*costs)[kind] += *cost;
  }
  return costs ? run.slots.remaining_s(*costs, now) : std::nullopt;
}

RunProgress::Device device_progress(const WorkerSlot& slot, const Worklist& worklist, Clock::time_point now) {
  RunProgress::Device device{.name = slot.device->name, .speed = slot.speed_meter.per_second(now)};
  if (!slot.is_running()) return device;
  const WorkerJob& job = *slot.job;
  device.item = display_name(worklist.item(job.item));
  device.fraction = job.fraction;
  device.amount = job.amount;
  if (job.fraction > 0) device.item_remaining_s = seconds_of(now - job.start) * (1 - job.fraction) / job.fraction;
  return device;
}

}  // namespace

RunProgress make_progress(const RunView& run, const Totals& totals, Clock::time_point start, Clock::time_point now) {
  RunProgress progress;
  progress.total_items = run.worklist.size();
  progress.finished_items = run.worklist.size() - run.worklist.remaining();
  progress.amount = totals.amount;
  progress.seconds = seconds_of(now - start);
  progress.remaining_s = remaining_s(run, now);
  progress.idle_reason = run.idle_reason;
  for (const WorkerSlot& slot : run.slots) {
    progress.devices.push_back(device_progress(slot, run.worklist, now));
    // What an item that only prepares others has done, such as the frames that an index has read, is no work of the run.
    if (slot.is_running() && !run.worklist[slot.job->item].goes_first) progress.amount += slot.job->amount;
  }
  for (const Stages::WaitingItem& waiting : run.stages.waiting(kMaxWaitingItems)) {
    progress.waiting.push_back({.name = display_name(run.worklist.item(waiting.item)),
                                .kind = run.worklist.item(waiting.first).task,
                                .finished = waiting.count - waiting.left,
                                .count = waiting.count});
  }
  return progress;
}

RunReporter::RunReporter(const RunSettings& settings, RunObserver& observer, observe::EventLog& events,
                         observe::Metrics& metrics, std::size_t items, Clock::time_point start)
    : settings_{settings}, observer_{observer}, events_{events}, metrics_{metrics}, start_{start} {
  totals_.items = items;
}

void RunReporter::set_folder(const RunFolder& folder) {
  folder_ = &folder;
  (void)events_.add_file(folder.events_path());
}

void RunReporter::log(Level level, std::string_view event, const Json& fields) { events_.write(level, event, fields); }

void RunReporter::count_restart(const WorkerSlot& slot, std::string_view reason) {
  metrics_.add(metric::kRestarts, 1, {{"device", slot.device->name}, {"reason", std::string{reason}}});
}

void RunReporter::report_run_start(Bytes share) {
  log_run_start(totals_.items, settings_.ram_limit, share, settings_.unit, events_);
}

void RunReporter::report_decision(const Item& item, const Decision& decision, const std::optional<PartOf>& part_of) {
  observer_.on_decision(item, decision);
  log_decision(item, decision, part_of, events_);
}

void RunReporter::report_item_start(const WorkerSlot& slot, const Worklist& worklist,
                                    const std::optional<PartOf>& part_of, Clock::time_point now) {
  const ItemNumber number = slot.job->item;
  const ItemState& state = worklist[number];
  const double planned_ram = static_cast<double>(state.estimate.ram.count());
  const double planned_device = static_cast<double>(state.estimate.device.count());
  Json fields{{"item", output_text(worklist.item(number))},
              {"device", slot.device->name},
              {"worker", slot.worker},
              {"attempt", state.attempts},
              {"variant", worklist.variant_name(number)},
              {"cost", state.estimate.cost},
              {"planned_ram", state.estimate.ram.count()},
              {"planned_device", state.estimate.device.count()}};
  add_part_of(fields, part_of);
  log(Level::info, "item_start", fields);
  add_stage_seconds(slot, "wait", seconds_of(now - slot.idle_since));
  metrics_.set(metric::kPlannedMemory, planned_ram, {{"device", slot.device->name}, {"kind", "ram"}});
  metrics_.set(metric::kPlannedMemory, planned_device, {{"device", slot.device->name}, {"kind", "device"}});
}

void RunReporter::report_attempt(const WorkerSlot& slot, const Item& item, const Json& message, double seconds) {
  observer_.on_attempt(item, text_field(message, "report"));
  const Json stages = object_field(message, "seconds");
  for (const auto& [stage, spent] : stages.items()) {
    if (spent.is_number()) add_stage_seconds(slot, stage, spent.get<double>());
  }
  const Json pool_statistics = object_field(message, "pool_use");
  for (const auto& [statistic, value] : pool_statistics.items()) {
    if (value.is_number()) set_memory_pool_metric(slot, statistic, value.get<double>());
  }
  add_stage_seconds(slot, "sync", number_field(message, "sync_s"));
  metrics_.add(metric::kBusySeconds, seconds, {{"device", slot.device->name}});
}

void RunReporter::add_stage_seconds(const WorkerSlot& slot, const std::string& stage, double seconds) {
  metrics_.add(metric::kStageSeconds, seconds, {{"device", slot.device->name}, {"stage", stage}});
}

void RunReporter::set_memory_pool_metric(const WorkerSlot& slot, const std::string& statistic, double value) {
  if (statistic == "hits" || statistic == "misses")
    metrics_.set(metric::kPoolRequests, value, {{"device", slot.device->name}, {"result", statistic}});
  else
    metrics_.set(metric::kPoolBytes, value, {{"device", slot.device->name}, {"kind", statistic}});
}

void RunReporter::report_memory(const WorkerSlot& slot) {
  const auto set_kind = [&](const char* kind, const memory::LevelSeries& levels) {
    const observe::Metrics::Labels labels{{"device", slot.device->name}, {"kind", kind}};
    metrics_.set(metric::kMeasuredMemory, levels.last(), labels);
    metrics_.set(metric::kLeakSlope, levels.slope(), labels);
  };
  set_kind("ram", slot.growth.ram);
  set_kind("pool", slot.growth.pool);
  set_kind("device", slot.growth.device);
  log(Level::debug, "memory",
      {{"device", slot.device->name},
       {"worker", slot.worker},
       {"rss", slot.rss.count()},
       {"slope", slot.growth.ram.slope()},
       {"pool", static_cast<std::uint64_t>(slot.growth.pool.last())},
       {"device_memory", static_cast<std::uint64_t>(slot.growth.device.last())},
       {"coordinator_rss", resident_memory().count()}});
}

void RunReporter::report_variant_change(const Item& item, const std::string& variant, std::string_view why) {
  log(Level::warning, "variant_change", {{"item", output_text(item)}, {"variant", variant}, {"why", why}});
  notify(Severity::warning,
         fmt::format("{}: {}; going down to {}", display_name(item), one_line(why), printable(variant)));
  metrics_.add(metric::kVariantChanges, 1, {{"variant", variant}});
}

void RunReporter::report_retry(const Item& item, const ItemResult& result, std::string_view reason, int attempt,
                               Clock::duration delay) {
  const std::string& why = result.error->what;
  log(Level::warning, "item_retry",
      {{"item", output_text(item)}, {"why", why}, {"attempt", attempt}, {"pause_s", seconds_of(delay)}});
  for (const std::string& note : result.notes)
    notify(Severity::warning, fmt::format("{}: {}", display_name(item), printable(note)));
  notify(Severity::warning, fmt::format("{}: {}; it is tried again", display_name(item), one_line(why)));
  metrics_.add(metric::kRetries, 1, {{"reason", std::string{reason}}});
}

void RunReporter::report_item_result(const Item& item, const ItemResult& result, const std::optional<PartOf>& part_of) {
  totals_.add(item, result);
  observer_.on_item_result(item, result);
  log_item_result(item, result, part_of, settings_.unit, events_, metrics_);
}

void RunReporter::report_progress(const RunView& run, Clock::time_point now) {
  if (now - progress_reported_ < kProgressInterval) return;
  progress_reported_ = now;
  observer_.on_progress(make_progress(run, totals_, start_, now));
  metrics_.set(metric::kQueueBytes, static_cast<double>(run.queue.waiting_output().count()));
  metrics_.set(metric::kQueueItems, static_cast<double>(run.queue.count_without_disk_waits()));
  if (now - state_written_ >= kStateInterval) {
    state_written_ = now;
    write_state(run, now);
  }
  if (!settings_.metrics_file.empty() && now - metrics_written_ >= kMetricsFileInterval) {
    metrics_written_ = now;
    (void)metrics_.write(settings_.metrics_file);
  }
}

void RunReporter::report_run_end(const RunView& run, Clock::time_point now) {
  for (const WorkerSlot& slot : run.slots) totals_.devices.push_back(slot.totals);
  totals_.seconds = seconds_of(now - start_);
  log_run_end(totals_, events_);
  write_state(run, now, /*over=*/true);
  if (!settings_.metrics_file.empty()) (void)metrics_.write(settings_.metrics_file);
}

void RunReporter::write_state(const RunView& run, Clock::time_point now, bool over) {
  if (folder_ != nullptr) folder_->write_state(state_of(run, make_progress(run, totals_, start_, now), over));
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
             {"damages", totals_.damage_messages},
             {"unit", settings_.unit},
             {"amount", progress.amount},
             {"seconds", progress.seconds},
             {"idle_reason", progress.idle_reason},
             {"failures", totals_.failure_messages},
             {"devices", devices_json(run.slots, progress)},
             {"waiting", waiting_json(progress)}};
  if (progress.remaining_s) state["remaining_s"] = *progress.remaining_s;
  return state;
}

}  // namespace weir::jobs
