#include <fmt/format.h>

#include "base/disk_space.hpp"
#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {

void Coordinator::Run::dispatch() {
  if (!halts_.working()) return;
  queue_.release_delayed(Clock::now());
  for (Seat& seat : seats_) {
    const bool over = list_.remaining() == 0;
    const bool wanted = !over && seats_.is_active(seat);
    if (seat.free() && wanted) give_work(seat);
    if (seat.free() && !wanted) workers_.end(seat, over ? "the run is over" : "the run is sequential");
    if (seat.worker == 0 && !seat.lost && wanted && !queue_.empty()) start_worker(seat);
  }
}

void Coordinator::Run::give_work(Seat& seat) {
  if (const auto number = queue_.take_unmeasured()) return measure(seat, *number);
  if (seats_.any_measuring()) return;  // the largest item may be among those
  const auto number = queue_.take(seats_.paces(Clock::now()), seats_.index_of(seat));
  if (!number) return;
  switch (disk_room(*number)) {
    case Admission::go:
      if (!try_start(seat, *number)) queue_.add(*number);
      return;
    case Admission::wait:
      return queue_.add_without_room(*number);
    case Admission::next_variant:
      break;
  }
  ItemEnd end = list_.end_of(*number);
  end.error = Error{Errc::disk_full, fmt::format("may write {}, which is more than its file system can hold",
                                                 to_text(list_[*number].estimate.output))};
  end_item(end);
}

void Coordinator::Run::measure(Seat& seat, ItemNumber number) {
  const ItemState& state = list_[number];
  seat.give(number, state.estimate, Clock::now());
  workers_.send(seat,
                {{"type", "estimate"}, {"number", number}, {"item", to_json(items_[number])}, {"variant", state.variant}});
}

/// False if it has to wait in the queue. Otherwise it runs, goes to the next variant, is tried later or has failed. Of a device's
/// own memory its worker has made sure when it planned.
bool Coordinator::Run::try_start(Seat& seat, ItemNumber number) {
  const Bytes need = list_.need(number, seat.device->name);
  if (list_[number].estimate.ram == Bytes{}) {
    start_item(seat, number, need);
    return true;
  }
  const Room room = seats_.room_for(seat, Clock::now());
  switch (admit(need, room, seats_.any_busy())) {
    case Admission::go:
      start_item(seat, number, need);
      return true;
    case Admission::wait:
      return false;
    case Admission::next_variant:
      break;
  }
  const std::string why = fmt::format("needs {} and {} of {} are free", to_text(need),
                                      to_text(room.free - room.promised - room.margin), printable(seat.device->memory));
  if (lower(number, why)) {
    queue_.measure_again(number);
    return true;
  }
  list_.count_attempt(number);
  ItemEnd end = list_.end_of(number);
  end.error = Error{Errc::over_budget, why};
  retry(end, "over_budget");
  return true;
}

void Coordinator::Run::start_item(Seat& seat, ItemNumber number, Bytes need) {
  const auto now = Clock::now();
  list_.count_attempt(number);
  const ItemState& state = list_[number];
  seat.give(number, state.estimate, now, need);
  reporter_.item_start(seat, list_, now);
  workers_.send(seat, {{"type", "run"},
                       {"number", number},
                       {"item", to_json(items_[number])},
                       {"variant", state.variant},
                       {"attempt", state.attempts},
                       {"replace", state.replace}});
}

Admission Coordinator::Run::disk_room(ItemNumber number) const {
  return admit_output(list_[number].estimate.output, seats_.running_output(),
                      disk_space(items_[number].outputs.front().parent_path()));
}

}  // namespace weir::jobs
