#include <algorithm>

#include <fmt/format.h>

#include "base/disk_space.hpp"
#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"
#include "jobs/run_metrics.hpp"

namespace weir::jobs {
namespace {

constexpr Bytes kMemoryMargin = 32_MiB;
constexpr auto kAskMemory = std::chrono::milliseconds{100};
constexpr Bytes kDiskMargin = 16_MiB;  // for records, logs and other programs

}  // namespace

void Coordinator::Run::dispatch() {
  if (stopping_ || paused_) return;
  const auto now = Clock::now();
  std::erase_if(delayed_, [&](const auto& delayed) {
    if (delayed.first > now) return false;
    enqueue(delayed.second);
    return true;
  });
  for (Seat& seat : seats_) {
    const bool wanted = remaining_ > 0 && is_active(seat);
    if (seat.free() && wanted) give_work(seat);
    if (seat.free() && !wanted) end_worker(seat, remaining_ == 0 ? "the run is over" : "the run is sequential");
    const bool work_left = !queue_.empty() || !crowded_.empty() || !unmeasured_.empty() || !delayed_.empty();
    if (!seat.process && !seat.lost && wanted && work_left) start_worker(seat);
  }
}

/// In a sequential run only the first device that is left works.
bool Coordinator::Run::is_active(const Seat& seat) const {
  if (seat.lost) return false;
  if (!fallback_.sequential()) return true;
  const auto first = std::find_if(seats_.begin(), seats_.end(), [](const Seat& each) { return !each.lost; });
  return &*first == &seat;
}

void Coordinator::Run::give_work(Seat& seat) {
  if (!unmeasured_.empty()) {
    const ItemNumber number = unmeasured_.front();
    unmeasured_.pop_front();
    return measure(seat, number);
  }
  // The largest item may still be among those that are being measured.
  for (const Seat& other : seats_) {
    if (other.job && !other.job->running) return;
  }
  const auto number = queue_.take(paces(), static_cast<std::size_t>(&seat - seats_.data()));
  if (!number) return;
  leave_queue(*number);
  switch (disk_room(*number)) {
    case Admission::go:
      if (!try_start(seat, *number)) enqueue(*number);
      return;
    case Admission::wait:
      return crowded_.push_back(*number);
    case Admission::next_rung:
      break;
  }
  ItemEnd end = end_of(*number);
  end.error = Error{Errc::disk_full, fmt::format("may write {}, which is more than its file system can hold",
                                                 to_text(states_[*number].estimate.output))};
  end_item(std::move(end));
}

void Coordinator::Run::enqueue(ItemNumber number) {
  const Estimate& estimate = states_[number].estimate;
  waiting_cost_ += estimate.cost;
  waiting_output_ += estimate.output;
  queue_.add(number, estimate.cost);
}

void Coordinator::Run::leave_queue(ItemNumber number) {
  const Estimate& estimate = states_[number].estimate;
  waiting_cost_ = std::max(0.0, waiting_cost_ - estimate.cost);
  waiting_output_ = waiting_output_ - estimate.output;
}

void Coordinator::Run::measure(Seat& seat, ItemNumber number) {
  const auto now = Clock::now();
  seat.job = Job{.number = number, .since = now, .last_sign = now, .need = {}};
  send_or_kill(
      seat,
      {{"type", "estimate"}, {"number", number}, {"item", to_json(items_[number])}, {"rung", states_[number].rung}});
}

/// False if it has to wait in the queue. Otherwise it runs, goes one rung down, is tried later or has failed.
bool Coordinator::Run::try_start(Seat& seat, ItemNumber number) {
  ItemState& state = states_[number];
  const std::string rung = state.rung < rungs_.size() ? rungs_[state.rung] : std::string{};
  const Bytes planned = state.estimate.ram;  // of its own memory a device's worker has made sure when it planned
  const Bytes need = needs_.need(rung, state.estimate.size, seat.device->name, planned);
  const bool others = std::any_of(seats_.begin(), seats_.end(), [](const Seat& each) { return each.job.has_value(); });
  if (planned == Bytes{}) {
    start_item(seat, number, need);
    return true;
  }
  const Room room = room_for(seat);
  switch (admit(need, room, others)) {
    case Admission::go:
      start_item(seat, number, need);
      return true;
    case Admission::wait:
      return false;
    case Admission::next_rung:
      break;
  }
  const std::string why = fmt::format("needs {} and {} of {} are free", to_text(need),
                                      to_text(room.free - room.promised - room.margin), printable(seat.device->memory));
  if (next_rung(number, why)) {
    unmeasured_.push_front(number);
  } else {
    ++state.attempts;
    retry(number, {Errc::over_budget, why}, "over_budget", end_of(number), kMostAttempts);
  }
  return true;
}

void Coordinator::Run::start_item(Seat& seat, ItemNumber number, Bytes need) {
  const auto now = Clock::now();
  ItemState& state = states_[number];
  ++state.attempts;
  metrics_.add(metric::kStages, std::chrono::duration<double>(now - seat.idle_since).count(), {{"stage", "wait"}});
  seat.job = Job{.number = number, .running = true, .since = now, .last_sign = now, .need = need};
  tell_start(seat, number);
  send_or_kill(seat, {{"type", "run"},
                      {"number", number},
                      {"item", to_json(items_[number])},
                      {"rung", state.rung},
                      {"attempt", state.attempts},
                      {"replace", state.replace}});
}

void Coordinator::Run::send_or_kill(Seat& seat, const Json& message) {
  if (auto sent = seat.process->send(message); !sent) kill_worker(seat, sent.error().what);
}

/// Asked ten times a second at most: the system takes a fifth of a millisecond to say it, as long as a tiny item. What was
/// started since is among the promises.
Bytes Coordinator::Run::free_memory(const WorkerDevice& device) {
  FreeMemory& known = free_memory_[device.memory];
  const auto now = Clock::now();
  if (now - known.asked >= kAskMemory) known = {now, device.free_memory()};
  return known.free;
}

Room Coordinator::Run::room_for(const Seat& seat) {
  Room room{.free = free_memory(*seat.device) + seat.rss, .promised = {}, .margin = kMemoryMargin};
  for (const Seat& other : seats_) {
    if (&other != &seat && other.device->memory == seat.device->memory && other.job && other.job->running)
      room.promised += other.job->need - other.rss;
  }
  return room;
}

/// What is free less what running items will write. What can never fit is no reason to wait.
Admission Coordinator::Run::disk_room(ItemNumber number) const {
  Bytes wanted = states_[number].estimate.output + kDiskMargin;
  for (const Seat& seat : seats_) {
    if (seat.job && seat.job->running) wanted += states_[seat.job->number].estimate.output;
  }
  const auto space = disk_space(items_[number].outputs.front().parent_path());
  if (!space || space->read_only || space->free >= wanted)
    return Admission::go;  // where nothing can be written it fails
  return states_[number].estimate.output > space->total ? Admission::next_rung : Admission::wait;
}

/// Of all seats on the same device together: what one of them happened to get says nothing about it.
double Coordinator::Run::speed_of(const Seat& seat) const {
  double cost = 0;
  double busy = 0;
  for (const Seat& each : seats_) {
    if (&each != &seat && (seat.identity.empty() || each.identity != seat.identity)) continue;
    cost += each.cost_done;
    busy += each.busy_s;
  }
  return busy > 0 ? cost / busy : 0;
}

std::vector<Pace> Coordinator::Run::paces() const {
  std::vector<Pace> paces;
  for (const Seat& seat : seats_) {
    if (!is_active(seat)) {
      paces.push_back({1e-300, 1e300});
      continue;
    }
    Pace pace{speed_of(seat), 0};
    if (seat.job && seat.job->running) {
      const ItemState& state = states_[seat.job->number];
      const double whole = pace.speed > 0 ? state.estimate.cost / pace.speed : state.estimate.seconds;
      const double spent = std::chrono::duration<double>(Clock::now() - seat.job->since).count();
      pace.busy_s = std::max(0.0, whole - spent);
    }
    paces.push_back(pace);
  }
  return paces;
}

}  // namespace weir::jobs
