#include "jobs/seats.hpp"

#include <algorithm>
#include <utility>

namespace weir::jobs {
namespace {

constexpr Bytes kMemoryMargin = 32_MiB;
constexpr auto kAskMemory = std::chrono::milliseconds{100};
constexpr Pace kInactive{1e-300, 1e300};

}  // namespace

double MemoryGrowth::most() const { return std::max({host.growth(), pool.growth(), device.growth(), 0.0}); }

bool MemoryGrowth::is_leak() const { return most() > memory::LevelSeries::kMostGrowth; }

Seat::Seat(const WorkerDevice& which) : device{&which}, identity{which.identity} { totals.name = which.name; }

void Seat::take(pid_t pid, Clock::time_point now) {
  worker = pid;
  ready = ending = false;
  killed_why.clear();
  growth = {};
  items_of_worker = 0;
  rss = {};
  started = idle_since = now;
}

void Seat::set_ready(Clock::time_point now) {
  ready = true;
  failed_starts = 0;
  idle_since = now;
}

void Seat::give(ItemNumber number, const Estimate& estimate, Clock::time_point now, std::optional<Bytes> need) {
  job = Job{.number = number,
            .running = need.has_value(),
            .since = now,
            .last_sign = now,
            .cost = estimate.cost,
            .expected_s = estimate.seconds,
            .need = need.value_or(Bytes{}),
            .output = estimate.output};
}

void Seat::finish(double seconds, Bytes pool, Bytes device_memory, Clock::time_point now) {
  totals.busy_s += seconds;
  idle_since = now;
  growth.host.add(rss);
  growth.pool.add(pool);
  growth.device.add(device_memory);
  ++items_of_worker;
}

void Seat::count_done(double cost, double seconds, double amount) {
  busy_s += seconds;
  cost_done += cost;
  ++totals.items;
  totals.amount += amount;
}

std::optional<Job> Seat::leave() {
  worker = 0;
  ready = ending = false;
  return std::exchange(job, std::nullopt);
}

void Seat::shift(Clock::duration stood_still, Clock::time_point now) {
  started += stood_still;
  if (!job) return;
  job->since += stood_still;
  job->last_sign = now;
}

Seats::Seats(const std::vector<WorkerDevice>& devices) : seats_(devices.begin(), devices.end()) {}

bool Seats::any_worker() const {
  return std::any_of(begin(), end(), [](const Seat& seat) { return seat.worker != 0; });
}

bool Seats::any_busy() const {
  return std::any_of(begin(), end(), [](const Seat& seat) { return seat.job.has_value(); });
}

bool Seats::any_measuring() const {
  return std::any_of(begin(), end(), [](const Seat& seat) { return seat.job && !seat.job->running; });
}

bool Seats::all_lost() const {
  return std::all_of(begin(), end(), [](const Seat& seat) { return seat.lost; });
}

bool Seats::is_active(const Seat& seat) const {
  if (seat.lost) return false;
  if (!fallback_.sequential()) return true;
  const auto first = std::find_if(begin(), end(), [](const Seat& each) { return !each.lost; });
  return &*first == &seat;
}

double Seats::speed_of(const Seat& seat) const {
  double cost = 0;
  double busy = 0;
  for (const Seat& each : seats_) {
    if (&each != &seat && (seat.identity.empty() || each.identity != seat.identity)) continue;
    cost += each.cost_done;
    busy += each.busy_s;
  }
  return busy > 0 ? cost / busy : 0;
}

double Seats::expected_s(const Seat& seat) const {
  if (!seat.job) return 0;
  const double speed = speed_of(seat);
  return speed > 0 ? seat.job->cost / speed : seat.job->expected_s;
}

std::vector<Pace> Seats::paces(Clock::time_point now) const {
  std::vector<Pace> paces;
  for (const Seat& seat : seats_) {
    if (!is_active(seat)) {
      paces.push_back(kInactive);
      continue;
    }
    Pace pace{speed_of(seat), 0};
    if (seat.running())
      pace.busy_s = std::max(0.0, expected_s(seat) - std::chrono::duration<double>(now - seat.job->since).count());
    paces.push_back(pace);
  }
  return paces;
}

std::optional<double> Seats::seconds_left(double waiting_cost) const {
  double speed = 0;
  double cost = waiting_cost;
  for (const Seat& seat : seats_) {
    if (is_active(seat)) speed += speed_of(seat);
    if (seat.running()) cost += seat.job->cost * (1 - seat.job->fraction);
  }
  if (speed <= 0) return std::nullopt;
  return cost / speed;
}

/// Asked seldom: the system takes a fifth of a millisecond to say it, as long as a tiny item. What was started since is among
/// the promises.
Bytes Seats::free_memory(const WorkerDevice& device, Clock::time_point now) {
  FreeMemory& known = free_memory_[device.memory];
  if (now - known.asked >= kAskMemory) known = {now, device.free_memory()};
  return known.free;
}

Room Seats::room_for(const Seat& seat, Clock::time_point now) {
  Room room{.free = free_memory(*seat.device, now) + seat.rss, .promised = {}, .margin = kMemoryMargin};
  for (const Seat& other : seats_) {
    if (&other != &seat && other.device->memory == seat.device->memory && other.running())
      room.promised += other.job->need - other.rss;
  }
  return room;
}

/// A worker that has grown makes what was known of the free memory too much.
void Seats::set_rss(Seat& seat, Bytes rss) {
  if (rss > seat.rss + 1_MiB) free_memory_.clear();
  seat.rss = rss;
}

Bytes Seats::running_output() const {
  Bytes output;
  for (const Seat& seat : seats_) {
    if (seat.running()) output += seat.job->output;
  }
  return output;
}

}  // namespace weir::jobs
