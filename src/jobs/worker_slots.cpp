#include "jobs/worker_slots.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {
namespace {

constexpr Bytes kMemoryMargin = 32_MiB;  // memory that always stays free
constexpr auto kMemoryCheckInterval = std::chrono::milliseconds{100};
constexpr DeviceLoad kInactiveLoad{.speed = 1e-300,
                                   .busy_s = 1e300};  // so slow and busy that WorkQueue assigns it nothing

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

void WorkerSlot::assign_job(ItemNumber number, const Estimate& estimate, Clock::time_point now,
                            std::optional<Bytes> need) {
  job = WorkerJob{.item = number,
                  .is_running = need.has_value(),
                  .start = now,
                  .last_heartbeat = now,
                  .cost = estimate.cost,
                  .expected_s = estimate.seconds,
                  .memory_need = need.value_or(Bytes{}),
                  .output = estimate.output};
}

void WorkerSlot::finish_attempt(double seconds, Bytes pool, Bytes device_memory, Clock::time_point now) {
  totals.busy_s += seconds;
  idle_since = now;
  growth.ram.add(rss);
  growth.pool.add(pool);
  growth.device.add(device_memory);
  ++finished_attempts;
}

void WorkerSlot::count_success(double cost, double seconds, double amount) {
  done_s += seconds;
  done_cost += cost;
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

double WorkerSlots::speed_of(const WorkerSlot& slot) const {
  double cost = 0;
  double busy = 0;
  for (const WorkerSlot& each : slots_) {
    if (&each != &slot && (slot.identity.empty() || each.identity != slot.identity)) continue;
    cost += each.done_cost;
    busy += each.done_s;
  }
  return busy > 0 ? cost / busy : 0;
}

double WorkerSlots::expected_s(const WorkerSlot& slot) const {
  if (!slot.job) return 0;
  const double speed = speed_of(slot);
  return speed > 0 ? slot.job->cost / speed : slot.job->expected_s;
}

std::vector<DeviceLoad> WorkerSlots::device_loads(Clock::time_point now) const {
  std::vector<DeviceLoad> loads;
  for (const WorkerSlot& slot : slots_) {
    if (!is_active(slot)) {
      loads.push_back(kInactiveLoad);
      continue;
    }
    DeviceLoad load{.speed = speed_of(slot), .busy_s = 0};
    if (slot.is_running())
      load.busy_s = std::max(0.0, expected_s(slot) - std::chrono::duration<double>(now - slot.job->start).count());
    loads.push_back(load);
  }
  return loads;
}

std::optional<double> WorkerSlots::remaining_s(double waiting_cost) const {
  double speed = 0;
  double cost = waiting_cost;
  for (const WorkerSlot& slot : slots_) {
    if (is_active(slot)) speed += speed_of(slot);
    if (slot.is_running()) cost += slot.job->cost * (1 - slot.job->fraction);
  }
  if (speed <= 0) return std::nullopt;
  return cost / speed;
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
}

Bytes WorkerSlots::running_output() const {
  Bytes output;
  for (const WorkerSlot& slot : slots_) {
    if (slot.is_running()) output += slot.job->output;
  }
  return output;
}

}  // namespace weir::jobs
