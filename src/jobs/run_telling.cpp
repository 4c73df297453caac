#include <algorithm>

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {
namespace {

constexpr auto kProgress = std::chrono::milliseconds{250};
constexpr auto kState = std::chrono::seconds{1};
constexpr auto kMetricsFile = std::chrono::seconds{2};

}  // namespace

void Coordinator::Run::tell(observe::Level level, std::string_view event, Json fields) {
  events_.write(level, event, fields);
}

void Coordinator::Run::say(Loudness loudness, const std::string& text) { observer_.said(loudness, text); }

void Coordinator::Run::tell_start(const Seat& seat, ItemNumber number) {
  const ItemState& state = states_[number];
  tell(observe::Level::info, "item_start",
       {{"item", encode_path(items_[number].outputs.front())},
        {"device", seat.device->name},
        {"worker", seat.process->pid()},
        {"attempt", state.attempts},
        {"rung", state.rung < rungs_.size() ? rungs_[state.rung] : std::string{}},
        {"cost", state.estimate.cost},
        {"planned_ram", state.estimate.ram.count()},
        {"planned_device", state.estimate.device.count()}});
  metrics_.set(metric::kPlanned, static_cast<double>(state.estimate.ram.count()),
               {{"device", seat.device->name}, {"kind", "ram"}});
  metrics_.set(metric::kPlanned, static_cast<double>(state.estimate.device.count()),
               {{"device", seat.device->name}, {"kind", "device"}});
}

void Coordinator::Run::tell_pool(const WorkerDevice& device, const std::string& figure, double value) {
  if (figure == "hits" || figure == "misses")
    metrics_.set(metric::kPoolRequests, value, {{"device", device.name}, {"result", figure}});
  else
    metrics_.set(metric::kPool, value, {{"device", device.name}, {"kind", figure}});
}

void Coordinator::Run::tell_memory(const Seat& seat) {
  const auto tell_kind = [&](const char* kind, const GrowthWatch& watch) {
    const observe::Metrics::Labels labels{{"device", seat.device->name}, {"kind", kind}};
    metrics_.set(metric::kMeasured, watch.last_bytes(), labels);
    metrics_.set(metric::kLeak, watch.bytes_per_item(), labels);
  };
  tell_kind("ram", seat.host);
  tell_kind("pool", seat.pool);
  tell_kind("device", seat.memory);
  tell(observe::Level::debug, "memory",
       {{"device", seat.device->name},
        {"worker", seat.process->pid()},
        {"rss", seat.rss.count()},
        {"slope", seat.host.bytes_per_item()},
        {"pool", static_cast<std::uint64_t>(seat.pool.last_bytes())},
        {"device_memory", static_cast<std::uint64_t>(seat.memory.last_bytes())},
        {"coordinator_rss", resident().count()}});
}

void Coordinator::Run::tell_progress() {
  const auto now = Clock::now();
  if (now - told_ < kProgress) return;
  told_ = now;
  const RunProgress progress = progress_now();
  observer_.progress(progress);
  metrics_.set(metric::kQueue, static_cast<double>(waiting_output_.count()));
  metrics_.set(metric::kWaiting, static_cast<double>(queue_.size() + unmeasured_.size() + delayed_.size()));
  if (now - state_written_ >= kState) {
    state_written_ = now;
    write_state(progress, false);
  }
  if (!settings_.metrics_file.empty() && now - metrics_written_ >= kMetricsFile) {
    metrics_written_ = now;
    (void)metrics_.write(settings_.metrics_file);
  }
}

RunProgress Coordinator::Run::progress_now() const {
  RunProgress progress;
  progress.items = items_.size();
  progress.ended = items_.size() - remaining_;
  progress.amount = totals_.amount;
  progress.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  progress.left_s = seconds_left();
  progress.halted = paused_ ? "paused" : full_ ? "waiting for room on the disk" : "";
  for (const Seat& seat : seats_) {
    RunProgress::Device device{.name = seat.device->name, .item = {}, .fraction = 0};
    if (seat.job && seat.job->running) {
      device.item = shown_name(items_[seat.job->number]);
      device.fraction = seat.job->fraction;
      progress.amount += seat.job->amount;
    }
    progress.devices.push_back(std::move(device));
  }
  return progress;
}

/// The cost that is left over the speed of all devices together; what is not measured yet makes it unknown.
std::optional<double> Coordinator::Run::seconds_left() const {
  double speed = 0;
  double cost = waiting_cost_;
  for (const Seat& seat : seats_) {
    if (is_active(seat)) speed += speed_of(seat);
    if (seat.job && seat.job->running) cost += states_[seat.job->number].estimate.cost * (1 - seat.job->fraction);
  }
  if (speed <= 0 || !unmeasured_.empty()) return std::nullopt;
  return cost / speed;
}

void Coordinator::Run::write_state(const RunProgress& progress, bool over) {
  if (folder_) folder_->write_state(state_json(progress, over));
}

Json Coordinator::Run::state_json(const RunProgress& progress, bool over) const {
  Json devices = Json::array();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const Seat& seat = seats_[i];
    devices.push_back({{"name", seat.device->name},
                       {"worker", seat.process ? Json(seat.process->pid()) : Json()},
                       {"item", progress.devices[i].item},
                       {"fraction", progress.devices[i].fraction},
                       {"items", seat.totals.items},
                       {"amount", seat.totals.amount},
                       {"busy_s", seat.totals.busy_s},
                       {"rss", seat.rss.count()},
                       {"lost", seat.lost}});
  }
  Json state{{"pid", getpid()},
             {"updated", observe::timestamp_now()},
             {"over", over},
             {"interrupted", totals_.interrupted},
             {"items", totals_.items},
             {"done", totals_.done},
             {"redone", totals_.redone},
             {"skipped", totals_.skipped},
             {"failed", totals_.failed},
             {"lower_rung", totals_.lower_rung},
             {"damaged", totals_.damaged},
             {"damages", totals_.damages},
             {"unit", settings_.unit},
             {"amount", progress.amount},
             {"seconds", progress.seconds},
             {"halted", progress.halted},
             {"failures", totals_.failures},
             {"devices", devices}};
  if (progress.left_s) state["left_s"] = *progress.left_s;
  return state;
}

}  // namespace weir::jobs
