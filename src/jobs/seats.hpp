#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/device.hpp"
#include "jobs/admission.hpp"
#include "jobs/run.hpp"
#include "jobs/watch.hpp"
#include "jobs/work_queue.hpp"
#include "memory/level_series.hpp"

namespace weir::jobs {

/// What a worker is busy with.
struct Job {
  ItemNumber number = 0;
  bool running = false;  ///< false: it is only being measured
  Clock::time_point since, last_sign;
  double fraction = 0, amount = 0;
  double cost = 0, expected_s = 0;  ///< as its estimate has them
  Bytes need, output;
};

/// What a worker holds after each item.
struct MemoryGrowth {
  memory::LevelSeries host, pool, device;

  /// The most of the three, in bytes; never negative.
  double most() const;
  bool is_leak() const;
};

/// A device and what is known of the worker that has it.
struct Seat {
  explicit Seat(const WorkerDevice& which);
  const WorkerDevice* device;
  std::string identity;  ///< once a worker has proved one that was not known, the next must too
  pid_t worker = 0;      ///< 0: none
  bool ready = false;    ///< it has proved its device
  bool ending = false;   ///< it was asked to end
  bool lost = false;     ///< the device is not used any more
  int failed_starts = 0;
  Clock::time_point started, idle_since;
  std::string killed_why;  ///< by us
  std::optional<Job> job;
  Bytes rss;
  MemoryGrowth growth;
  std::size_t items_of_worker = 0;
  double cost_done = 0, busy_s = 0;  ///< their quotient is the measured speed
  DeviceTotals totals;

  bool free() const { return worker != 0 && ready && !ending && !job; }
  bool running() const { return job && job->running; }

  /// A worker has been started; it has proved nothing yet.
  void take(pid_t pid, Clock::time_point now);
  void set_ready(Clock::time_point now);
  /// The worker is to measure an item, or, with what it needs, to run it.
  void give(ItemNumber number, const Estimate& estimate, Clock::time_point now,
            std::optional<Bytes> need = std::nullopt);
  /// A try has come to its end, well or not, after so many seconds; the worker's pool and device hold so much.
  void finish(double seconds, Bytes pool, Bytes device_memory, Clock::time_point now);
  /// It ended well.
  void count_done(double cost, double seconds, double amount);
  /// The worker is gone. Gives back what it was busy with.
  std::optional<Job> leave();
  /// It stood still for so long, until `now`: that counts neither as silence nor as work.
  void shift(Clock::duration stood_still, Clock::time_point now);
};

/// The devices of a run: which of them work, how fast they are, and what of their memory is free and promised. It starts no
/// worker. Time is passed in. Not thread-safe.
class Seats {
 public:
  /// `devices` must outlive it.
  explicit Seats(const std::vector<WorkerDevice>& devices);

  auto begin() { return seats_.begin(); }
  auto end() { return seats_.end(); }
  auto begin() const { return seats_.begin(); }
  auto end() const { return seats_.end(); }
  std::size_t size() const { return seats_.size(); }
  std::size_t index_of(const Seat& seat) const { return static_cast<std::size_t>(&seat - seats_.data()); }

  bool any_worker() const;
  bool any_busy() const;
  bool any_measuring() const;
  bool all_lost() const;
  /// Whether it is to work: in a sequential run the first device that is left works alone.
  bool is_active(const Seat& seat) const;
  Fallback& fallback() { return fallback_; }

  /// Cost per second; 0 while it is not known. Of all seats on the same device together: what one of them happened to get
  /// says nothing about it.
  double speed_of(const Seat& seat) const;
  /// Of the seat's item from its start to its end; 0 if it is not known.
  double expected_s(const Seat& seat) const;
  std::vector<Pace> paces(Clock::time_point now) const;
  /// For what waits and what runs, by the speed of all active devices together; empty while that is not known.
  std::optional<double> seconds_left(double waiting_cost) const;

  /// What an item that starts there now finds. The device is asked ten times a second at most.
  Room room_for(const Seat& seat, Clock::time_point now);
  void set_rss(Seat& seat, Bytes rss);
  /// That running items are expected to write.
  Bytes running_output() const;

 private:
  Bytes free_memory(const WorkerDevice& device, Clock::time_point now);

  struct FreeMemory {
    Clock::time_point asked{};
    Bytes free;
  };
  std::vector<Seat> seats_;
  std::map<std::string, FreeMemory> free_memory_;  // by the word for a memory
  Fallback fallback_;
};

}  // namespace weir::jobs
