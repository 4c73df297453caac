#include "jobs/worker_slots.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {
namespace {

constexpr Bytes kMemoryMargin = 32_MiB;  // memory that always stays free
constexpr auto kMemoryCheckInterval = std::chrono::milliseconds{100};
constexpr DeviceLoad kInactiveLoad{.speed = 1e-300,
                                   .busy_s = 1e300};  // so slow and busy that WorkQueue assigns it nothing

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// Returns true if both slots are of one device, which may have several workers.
bool is_same_device(const WorkerSlot& a, const WorkerSlot& b) {
  return &a == &b || (!a.identity.empty() && a.identity == b.identity);
}

}  // namespace

double MemoryGrowth::max_growth_bytes() const { return std::max({ram.growth(), pool.growth(), device.growth(), 0.0}); }

bool MemoryGrowth::is_leak() const { return max_growth_bytes() > memory::LevelSeries::kMaxGrowthBytes; }

WorkerSlot::WorkerSlot(const WorkerDevice& worker_device) : device{&worker_device}, identity{worker_device.identity} {
  totals.name = worker_device.name;
}

void WorkerSlot::set_worker(pid_t pid, Clock::time_point now) {
  worker = pid;
  ready = ending = false;
  kill_reason.clear();
  growth = {};
  finished_attempts = 0;
  rss = {};
  started = idle_since = now;
}

void WorkerSlot::set_ready(Clock::time_point now) {
  ready = true;
  failed_starts = 0;
  idle_since = now;
}

void WorkerSlot::assign_job(ItemNumber number, std::string kind, const Estimate& estimate, Clock::time_point now,
                            std::optional<Bytes> need) {
  if (need && std::exchange(metered_kind, kind) != kind) speed_meter.restart(now);
  job = WorkerJob{.item = number,
                  .kind = std::move(kind),
                  .is_running = need.has_value(),
                  .start = now,
                  .last_heartbeat = now,
                  .cost = estimate.cost,
                  .expected_s = estimate.seconds,
                  .memory_need = need.value_or(Bytes{}),
                  .output = estimate.output};
}

void WorkerSlot::set_progress(double fraction, double amount, Clock::time_point now) {
  if (!is_running()) return;
  speed_meter.add(std::max(0.0, amount - job->amount), now);
  job->fraction = fraction;
  job->amount = amount;
}

void WorkerSlot::finish_attempt(double seconds, Bytes pool, Bytes device_memory, Clock::time_point now) {
  totals.busy_s += seconds;
  idle_since = now;
  growth.ram.add(rss);
  growth.pool.add(pool);
  growth.device.add(device_memory);
  ++finished_attempts;
}

void WorkerSlot::count_stages(const std::map<std::string, double>& stage_seconds) {
  for (const auto& [stage, seconds] : stage_seconds) totals.stage_seconds[stage] += seconds;
}

void WorkerSlot::count_success(const std::string& kind, double cost, double seconds, double amount) {
  KindWork& work = done[kind];
  work.cost += cost;
  work.seconds += seconds;
  ++totals.items;
  totals.amount += amount;
}

std::optional<WorkerJob> WorkerSlot::remove_worker() {
  worker = 0;
  ready = ending = false;
  return std::exchange(job, std::nullopt);
}

void WorkerSlot::exclude_pause(Clock::duration pause, Clock::time_point now) {
  started += pause;
  speed_meter.exclude_pause(pause);
  if (!job) return;
  job->start += pause;
  job->last_heartbeat = now;
}

WorkerSlots::WorkerSlots(const std::vector<WorkerDevice>& devices) : slots_(devices.begin(), devices.end()) {}

bool WorkerSlots::has_worker() const {
  return std::any_of(begin(), end(), [](const WorkerSlot& slot) { return slot.worker != 0; });
}

bool WorkerSlots::has_busy_worker() const {
  return std::any_of(begin(), end(), [](const WorkerSlot& slot) { return slot.job.has_value(); });
}

bool WorkerSlots::is_estimating() const {
  return std::any_of(begin(), end(), [](const WorkerSlot& slot) { return slot.job && !slot.job->is_running; });
}

bool WorkerSlots::are_all_lost() const {
  return std::all_of(begin(), end(), [](const WorkerSlot& slot) { return slot.lost; });
}

bool WorkerSlots::is_active(const WorkerSlot& slot) const {
  if (slot.lost) return false;
  if (!sequential_fallback_.is_sequential()) return true;
  const auto first_usable = std::find_if(begin(), end(), [](const WorkerSlot& each) { return !each.lost; });
  return &*first_usable == &slot;
}

double WorkerSlots::done_speed(const WorkerSlot& slot, std::string_view kind) const {
  KindWork sum;
  for (const WorkerSlot& each : slots_) {
    if (!is_same_device(each, slot)) continue;
    const auto done = each.done.find(kind);
    if (done == each.done.end()) continue;
    sum.cost += done->second.cost;
    sum.seconds += done->second.seconds;
  }
  return sum.seconds > 0 ? sum.cost / sum.seconds : 0;
}

double WorkerSlots::speed_of(const WorkerSlot& slot, std::string_view kind, Clock::time_point now) const {
  if (const double speed = done_speed(slot, kind); speed > 0) return speed;
  KindWork sum;
  for (const WorkerSlot& each : slots_) {
    if (!is_same_device(each, slot) || !each.is_running() || each.job->kind != kind || each.job->fraction <= 0)
      continue;
    sum.cost += each.job->cost * each.job->fraction;
    sum.seconds += seconds_between(each.job->start, now);
  }
  return sum.seconds > 0 ? sum.cost / sum.seconds : 0;
}

double WorkerSlots::expected_s(const WorkerSlot& slot) const {
  if (!slot.job) return 0;
  const double speed = done_speed(slot, slot.job->kind);
  return speed > 0 ? slot.job->cost / speed : slot.job->expected_s;
}

std::vector<DeviceLoad> WorkerSlots::device_loads(std::string_view kind, Clock::time_point now) const {
  std::vector<DeviceLoad> loads;
  for (const WorkerSlot& slot : slots_) {
    if (!is_active(slot)) {
      loads.push_back(kInactiveLoad);
      continue;
    }
    DeviceLoad load{.speed = speed_of(slot, kind, now), .busy_s = 0};
    if (slot.is_running()) {
      const double speed = speed_of(slot, slot.job->kind, now);
      const double expected = speed > 0 ? slot.job->cost / speed : slot.job->expected_s;
      load.busy_s = std::max(0.0, expected - seconds_between(slot.job->start, now));
    }
    loads.push_back(load);
  }
  return loads;
}

bool WorkerSlots::is_measured(std::string_view kind) const {
  return std::any_of(begin(), end(), [&](const WorkerSlot& slot) { return slot.done.contains(kind); });
}

/// The devices share the work of each kind; but a running item, such as the last one, is not shared.
std::optional<double> WorkerSlots::remaining_s(KindCosts waiting, Clock::time_point now) const {
  double longest = 0;  // of the running items
  for (const WorkerSlot& slot : slots_) {
    if (!slot.is_running()) continue;
    const double cost = slot.job->cost * (1 - slot.job->fraction);
    waiting[slot.job->kind] += cost;
    if (const double speed = speed_of(slot, slot.job->kind, now); speed > 0) longest = std::max(longest, cost / speed);
  }
  double total = 0;
  for (const auto& [kind, cost] : waiting) {
    if (cost <= 0) continue;
    double speed = 0;
    for (const WorkerSlot& slot : slots_) {
      if (is_active(slot)) speed += speed_of(slot, kind, now);
    }
    if (speed <= 0) return std::nullopt;
    total += cost / speed;
  }
  return std::max(total, longest);
}

/// Reads the free memory at most every kMemoryCheckInterval, since reading takes 0.2 ms, as long as a tiny item. The
/// memory of items started since then is in MemoryAvailability::reserved.
Bytes WorkerSlots::free_memory(const WorkerDevice& device, Clock::time_point now) {
  FreeMemory& cached = free_memory_[device.memory_name];
  if (now - cached.checked_at >= kMemoryCheckInterval) cached = {now, device.free_memory()};
  return cached.free;
}

MemoryAvailability WorkerSlots::memory_availability(const WorkerSlot& slot, Clock::time_point now) {
  MemoryAvailability memory{
      .free = free_memory(*slot.device, now) + slot.rss, .reserved = {}, .running = {}, .margin = kMemoryMargin};
  for (const WorkerSlot& other : slots_) {
    if (&other == &slot || other.device->memory_name != slot.device->memory_name || !other.is_running()) continue;
    memory.reserved += other.job->memory_need - other.rss;
    memory.running += other.job->memory_need;
  }
  return memory;
}

/// When a worker has grown by more than 1 MiB, the stored free memory is too large, so it must be read again.
void WorkerSlots::set_rss(WorkerSlot& slot, Bytes rss) {
  if (rss > slot.rss + 1_MiB) free_memory_.clear();
  slot.rss = rss;
  if (slot.job) slot.job->peak_rss = std::max(slot.job->peak_rss, rss);
}

Bytes WorkerSlots::running_output() const {
  Bytes output;
  for (const WorkerSlot& slot : slots_) {
    if (slot.is_running()) output += slot.job->output;
  }
  return output;
}

}  // namespace weir::jobs
