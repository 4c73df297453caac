#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/admission.hpp"
#include "jobs/device.hpp"
#include "jobs/retry_policy.hpp"
#include "jobs/run.hpp"
#include "jobs/speed_meter.hpp"
#include "jobs/work_queue.hpp"
#include "memory/level_series.hpp"

namespace weir::jobs {

/// The item that a worker processes or estimates.
struct WorkerJob {
  ItemNumber item = 0;
  std::string kind = {};    ///< Item::task
  bool is_running = false;  ///< the worker processes the item; false: it only estimates the item
  Clock::time_point start, last_heartbeat;
  double fraction = 0, amount = 0;  ///< Progress of the last heartbeat
  double cost = 0, expected_s = 0;  ///< cost and seconds of the item's Estimate
  Bytes memory_need;                ///< memory of the process that the item was admitted for; zero for an estimate
  Bytes output;                     ///< bytes that the item is expected to write
  Bytes peak_rss = {};              ///< largest resident memory of the worker since the start
};

/// The memory that a worker holds after each attempt at an item: resident memory of the process (`ram`),
/// Task::pooled_memory() (`pool`) and Task::device_memory() (`device`).
struct MemoryGrowth {
  memory::LevelSeries ram, pool, device;

  /// Returns the largest growth (LevelSeries::growth) of the three series, in bytes; at least 0.
  double max_growth_bytes() const;
  /// Returns true if the growth is large enough to count as a leak.
  bool is_leak() const;
};

/// What was done of the items of one kind (Item::task). Costs and speeds of different kinds cannot be compared.
struct KindWork {
  double cost = 0, seconds = 0;
};

/// A device of the run and the state of its worker.
struct WorkerSlot {
  explicit WorkerSlot(const WorkerDevice& worker_device);
  const WorkerDevice* device;
  std::string identity;  ///< the identity that workers must report; set by the first worker if it was not known
  pid_t worker = 0;      ///< process id of the worker; 0: no worker
  bool ready = false;    ///< the worker has reported its device and can get items
  bool ending = false;   ///< the worker was asked to end
  bool lost = false;     ///< the device is not used any more in this run
  bool has_shown_config = false;      ///< an estimate of the device had a ComputeConfig (RunSettings::same_pixels)
  int failed_starts = 0;              ///< number of workers in a row that ended before they were ready
  Clock::time_point started;          ///< time of the worker's start, moved later by pauses and waits for a lease
  Clock::time_point idle_since;       ///< time when the worker became ready, or ended its last attempt at an item
  std::string kill_reason;            ///< why the coordinator killed the worker; empty: it did not
  std::optional<WorkerJob> job;       ///< empty: the worker has no item
  Bytes rss;                          ///< resident memory of the worker, from its last message
  MemoryGrowth growth;                ///< memory of the current worker after each attempt
  std::size_t finished_attempts = 0;  ///< number of attempts that the current worker finished, failed ones included
  std::map<std::string, KindWork, std::less<>> done;  ///< all done items, by kind
  DeviceTotals totals;                                ///< sums over all workers of this slot
  SpeedMeter speed_meter;                             ///< work per second, of items of the kind of the last one
  std::string metered_kind;                           ///< this kind (Item::task)

  bool is_free() const { return worker != 0 && ready && !ending && !job; }
  /// Returns true if the worker processes an item; an estimate does not count.
  bool is_running() const { return job && job->is_running; }

  /// Stores a worker that was just started and is not ready.
  void set_worker(pid_t pid, Clock::time_point now);
  void set_ready(Clock::time_point now);
  /// Stores the job of the worker: to process the item with `need` bytes of memory, or, if `need` is empty, to estimate
  /// the item. `kind`: Item::task.
  void assign_job(ItemNumber number, std::string kind, const Estimate& estimate, Clock::time_point now,
                  std::optional<Bytes> need = std::nullopt);
  /// Stores the progress of the running item, and measures the speed.
  void set_progress(double fraction, double amount, Clock::time_point now);
  /// Records the end of an attempt, successful or not, and the memory after it: the member `rss`, `pool`
  /// (Task::pooled_memory()) and `device_memory` (Task::device_memory()). `seconds`: duration of the attempt.
  void finish_attempt(double seconds, Bytes pool, Bytes device_memory, Clock::time_point now);
  /// Adds the seconds by stage of an attempt (ItemResult::stage_seconds) to the totals.
  void count_stages(const std::map<std::string, double>& stage_seconds);
  /// Adds a done item to the totals and to the measured speed for its kind. `amount`: ItemResult::amount.
  void count_success(const std::string& kind, double cost, double seconds, double amount);
  /// Removes a worker that has ended. Returns the job that it had.
  std::optional<WorkerJob> remove_worker();
  /// Shifts the start times by a pause of the run that ended at `now`, and sets the last heartbeat to `now`. The pause
  /// then counts neither as work nor as a missing heartbeat.
  void exclude_pause(Clock::duration pause, Clock::time_point now);
};

/// The devices of a run, and the state of their workers. Computes which devices are active, their speeds, and their
/// free and reserved memory. Starts no worker (WorkerPool does). The caller passes the time. Not thread-safe.
class WorkerSlots {
 public:
  /// `devices` must outlive the object.
  explicit WorkerSlots(const std::vector<WorkerDevice>& devices);

  auto begin() { return slots_.begin(); }
  auto end() { return slots_.end(); }
  auto begin() const { return slots_.begin(); }
  auto end() const { return slots_.end(); }
  std::size_t size() const { return slots_.size(); }
  std::size_t index_of(const WorkerSlot& slot) const { return static_cast<std::size_t>(&slot - slots_.data()); }

  bool has_worker() const;       ///< returns true if any slot has a worker
  bool has_busy_worker() const;  ///< returns true if any worker has a job, also an estimate
  bool is_estimating() const;    ///< returns true if any worker estimates an item
  bool are_all_lost() const;
  /// Returns true if the device may work: it is not lost, and in a sequential run (SequentialFallback) it is the first
  /// device that is not lost.
  bool is_active(const WorkerSlot& slot) const;
  SequentialFallback& sequential_fallback() { return sequential_fallback_; }

  /// Returns the speed for items of one kind in cost per second, averaged over all slots of the same device: that of the
  /// done items, or, if none is done, of the running ones so far; 0 while it is not known.
  double speed_of(const WorkerSlot& slot, std::string_view kind, Clock::time_point now) const;
  /// Returns the expected total duration of the slot's item in seconds, from the speed of done items or else from its
  /// estimate; 0 if it is not known or there is no item.
  double expected_s(const WorkerSlot& slot) const;
  /// Returns the load of each slot, in the order of the slots, with the speeds for items of one kind. An inactive device
  /// gets an extremely low speed and a long busy time, so that WorkQueue assigns it nothing.
  std::vector<DeviceLoad> device_loads(std::string_view kind, Clock::time_point now) const;
  /// Returns true if an item of the kind was done by any device.
  bool is_measured(std::string_view kind) const;
  /// Returns the expected time in seconds for the waiting items, with these total costs by kind, and the running items,
  /// at the speed of all active devices together; empty while the speed for one of the kinds is not known.
  std::optional<double> remaining_s(KindCosts waiting, Clock::time_point now) const;

  /// Returns the memory available to an item that starts in the slot now. Reads the free memory
  /// (WorkerDevice::free_memory) at most ten times a second, and once after set_rss() has stored a larger size.
  MemoryAvailability memory_availability(const WorkerSlot& slot, Clock::time_point now);
  /// Stores the resident memory of the slot's worker. If it has grown by more than 1 MiB, memory_availability() reads
  /// the free memory again.
  void set_rss(WorkerSlot& slot, Bytes rss);
  /// Returns the bytes that running items are expected to write.
  Bytes running_output() const;

 private:
  double done_speed(const WorkerSlot& slot, std::string_view kind) const;  // speed_of() of done items alone
  Bytes free_memory(const WorkerDevice& device, Clock::time_point now);

  struct FreeMemory {
    Clock::time_point checked_at{};
    Bytes free;
  };
  std::vector<WorkerSlot> slots_;
  std::map<std::string, FreeMemory> free_memory_;  // by WorkerDevice::memory_name
  SequentialFallback sequential_fallback_;
};

}  // namespace weir::jobs
