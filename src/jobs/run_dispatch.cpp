// Coordinator::Run: assignment of items to workers.

#include <fmt/format.h>

#include "base/disk_space.hpp"
#include "base/text.hpp"
#include "jobs/coordinator_run.hpp"

namespace weir::jobs {
namespace {

// So long a free worker estimates items before it starts one of those that are estimated. Enough for hundreds of items
// on a local disk; a longer list is estimated between the items.
constexpr auto kEstimateTime = std::chrono::milliseconds{100};

}  // namespace

/// Gives work to free workers, ends workers that are not needed, and starts missing ones.
void Coordinator::Run::dispatch() {
  if (!stop_controller_.may_start_items()) return;
  queue_.release_delayed(Clock::now());
  for (WorkerSlot& slot : slots_) {
    const bool is_over = worklist_.remaining() == 0;
    const bool needs_worker = !is_over && slots_.is_active(slot);
    if (slot.is_free() && needs_worker) assign_work(slot);
    if (slot.is_free() && !needs_worker)
      workers_.request_end(slot, is_over ? "the run is over" : "the run is sequential");
    if (slot.worker == 0 && !slot.lost && needs_worker && !queue_.empty()) start_worker(slot);
  }
}

/// Gives a free worker an item to estimate or to process. Larger items start first, so a worker estimates others before
/// it starts one, but for kEstimateTime at most.
void Coordinator::Run::assign_work(WorkerSlot& slot) {
  const auto now = Clock::now();
  if (now - slot.idle_since < kEstimateTime || !queue_.has_ready()) {
    if (start_next_estimate(slot)) return;
    // An item whose estimate another worker still makes may be the largest.
    if (slots_.is_estimating()) return;
  }
  const auto number = queue_.take(slots_.device_loads(queue_.ready_kind(), now), slots_.index_of(slot));
  if (number && process(slot, *number)) return;
  (void)start_next_estimate(slot);
}

/// Gives the worker the next item to estimate, if there is one.
bool Coordinator::Run::start_next_estimate(WorkerSlot& slot) {
  const auto number = queue_.take_unestimated();
  if (number) start_estimate(slot, *number);
  return number.has_value();
}

/// Starts the item on the worker, or handles that it cannot start now. Returns false if the worker is still free and the
/// item waits for memory. An item that can never fit on the disk ends.
bool Coordinator::Run::process(WorkerSlot& slot, ItemNumber number) {
  if (must_show_config(slot, number)) {
    start_estimate(slot, number);
    return true;
  }
  switch (disk_admission(number)) {
    case Admission::start:
      if (try_start(slot, number)) return true;
      queue_.add(number);
      return false;
    case Admission::wait:
      queue_.add_waiting_for_disk(number);
      return true;
    case Admission::does_not_fit:
      break;
  }
  ItemResult result = worklist_.make_result(number);
  result.error = Error{Errc::disk_full, fmt::format("may write {}, which is more than its file system can hold",
                                                    to_text(worklist_[number].estimate.output))};
  end_item(result);
  return true;
}

/// Returns true if the device has to estimate the item before it may process it, because no estimate of this device has
/// shown its ComputeConfig yet (RunSettings::same_pixels).
bool Coordinator::Run::must_show_config(const WorkerSlot& slot, ItemNumber number) const {
  return settings_.same_pixels && !slot.has_shown_config &&
         worklist_[number].estimate.compute_config != ComputeConfig{};
}

void Coordinator::Run::start_estimate(WorkerSlot& slot, ItemNumber number) {
  const ItemState& state = worklist_[number];
  slot.assign_job(number, worklist_.item(number).task, state.estimate, Clock::now());
  workers_.send(slot, {{"type", "estimate"},
                       {"number", number},
                       {"item", to_json(worklist_.item(number))},
                       {"variant", state.variant}});
}

/// Starts the item, or handles that it does not fit: changes its variant, delays it or ends it. Returns false, and does
/// nothing, if the item must wait for memory. Checks only the process memory; the worker checked the device's memory
/// when it made the estimate.
bool Coordinator::Run::try_start(WorkerSlot& slot, ItemNumber number) {
  const Bytes need = worklist_.memory_need(number, slot.device->name);
  if (worklist_[number].estimate.ram == Bytes{}) {  // the task kind makes no plan, or the estimate failed
    start_item(slot, number, need);
    return true;
  }
  const MemoryAvailability memory = slots_.memory_availability(slot, Clock::now());
  switch (admit_memory(need, memory)) {
    case Admission::start:
      start_item(slot, number, need);
      return true;
    case Admission::wait:
      return false;
    case Admission::does_not_fit:
      break;
  }
  const std::string why =
      fmt::format("needs {} of {} memory, {} are free", to_text(need), printable(slot.device->memory_name),
                  to_text(memory.free - memory.reserved - memory.margin));
  if (use_smaller_variant(number, why)) {
    queue_.estimate_again(number);
    return true;
  }
  worklist_.count_attempt(number);
  ItemResult result = worklist_.make_result(number);
  result.error = Error{Errc::over_budget, why};
  retry(result, "over_budget");
  return true;
}

void Coordinator::Run::start_item(WorkerSlot& slot, ItemNumber number, Bytes need) {
  const auto now = Clock::now();
  worklist_.count_attempt(number);
  const ItemState& state = worklist_[number];
  slot.assign_job(number, worklist_.item(number).task, state.estimate, now, need);
  reporter_.report_item_start(slot, worklist_, part_of(number), now);
  workers_.send(slot, {{"type", "run"},
                       {"number", number},
                       {"item", to_json(worklist_.item(number))},
                       {"variant", state.variant},
                       {"attempt", state.attempts},
                       {"replace", state.replaces_output}});
}

Admission Coordinator::Run::disk_admission(ItemNumber number) const {
  return admit_output(worklist_[number].estimate.output, slots_.running_output(),
                      disk_space(worklist_.item(number).outputs.front().parent_path()));
}

}  // namespace weir::jobs
