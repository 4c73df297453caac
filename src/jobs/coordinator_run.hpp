#pragma once

// The inside of Coordinator, for its sources alone.

#include <csignal>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "jobs/coordinator.hpp"
#include "jobs/ladder.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_signals.hpp"
#include "jobs/watch.hpp"
#include "jobs/work_queue.hpp"
#include "jobs/worker_process.hpp"

namespace weir::jobs {

/// What the coordinator keeps of an item.
struct ItemState {
  bool ended = false;
  bool replace = false;  ///< an output of ours stands there
  bool redone = false;
  std::uint8_t attempts = 0;
  std::uint16_t rung = 0;
  std::string why;
  Estimate estimate;
};

/// What a worker is busy with.
struct Job {
  ItemNumber number = 0;
  bool running = false;  ///< false: it is only being measured
  Clock::time_point since, last_sign;
  double fraction = 0, amount = 0;
  Bytes need;
};

/// A device and the worker that has it.
struct Seat {
  explicit Seat(const WorkerDevice& which) : device{&which} {}
  const WorkerDevice* device;
  std::string identity = device->identity;  ///< once a worker has proved one that was not known, the next must too
  std::optional<WorkerProcess> process;
  bool ready = false;   ///< it has proved its device
  bool ending = false;  ///< it was told to end
  bool lost = false;    ///< the device is not used any more
  int failed_starts = 0;
  Clock::time_point started, idle_since;
  std::string killed_why;  ///< by us
  std::optional<Job> job;
  Bytes rss;
  GrowthWatch host, pool, memory;
  std::size_t items_of_worker = 0;
  double cost_done = 0, busy_s = 0;  ///< their quotient is the measured speed
  DeviceTotals totals;

  bool free() const { return process && ready && !ending && !job; }
};

class Coordinator::Run {
 public:
  Run(const RunSettings& settings, const std::vector<Item>& items, IdentityNow identity_now, RunObserver& observer,
      observe::EventLog& events, observe::Metrics& metrics);
  Result<Totals> run();

 private:
  // run_start.cpp: from the worklist to the first item, and from the last to the totals
  Status begin();
  void settle_all();
  void adopt_pixels();
  void settle_one(ItemNumber number);
  void loop();
  bool finished() const;
  void wait_for_news();
  void finish();

  // run_workers.cpp: the processes
  void start_workers();
  void start_worker(Seat& seat);
  void read_worker(Seat& seat);
  void check_worker(Seat& seat);
  void worker_ended(Seat& seat);
  void kill_worker(Seat& seat, std::string why);
  void end_worker(Seat& seat, std::string_view why);
  void replace_if_grown(Seat& seat);
  void lose(Seat& seat, const std::string& why);

  // run_items.cpp: what workers say of items
  void on_message(Seat& seat, const Json& message);
  void on_hello(Seat& seat, const Json& message);
  void note_memory(Seat& seat, const Json& message);
  void on_waiting(Seat& seat, const std::string& why);
  void on_leased(Seat& seat);
  void on_estimated(Seat& seat, const Json& message);
  void on_finished(Seat& seat, const Json& message);
  void on_error(Seat& seat, ItemNumber number, ItemEnd end);
  std::optional<Decision> was_finished(ItemNumber number);
  void on_death(ItemNumber number, const std::string& why);
  bool next_rung(ItemNumber number, std::string_view why);
  void retry(ItemNumber number, Error error, std::string_view reason, const ItemEnd& end, int most);
  void note_instability(ItemNumber number);
  void end_item(ItemEnd end);
  ItemEnd end_of(ItemNumber number) const;

  // run_dispatch.cpp: who does what next
  void dispatch();
  void give_work(Seat& seat);
  void enqueue(ItemNumber number);
  void leave_queue(ItemNumber number);
  void measure(Seat& seat, ItemNumber number);
  bool try_start(Seat& seat, ItemNumber number);
  void start_item(Seat& seat, ItemNumber number, Bytes need);
  void send_or_kill(Seat& seat, const Json& message);
  Bytes free_memory(const WorkerDevice& device);
  Room room_for(const Seat& seat);
  Admission disk_room(ItemNumber number) const;
  bool is_active(const Seat& seat) const;
  std::vector<Pace> paces() const;
  double speed_of(const Seat& seat) const;

  // run_halts.cpp: signals, pauses, the end before the end
  void take_signals();
  void suspend();
  void check_pause_file();
  void pause(bool on);
  void wait_for_disk(ItemNumber number);
  void check_disk();
  void stop(std::string why, bool at_once, int signal = SIGINT);  ///< `signal`: for what items have started
  void check_stop();
  void sweep(Seat& seat);

  // run_telling.cpp: log, metrics, state, progress
  void tell(observe::Level level, std::string_view event, Json fields = Json::object());
  void say(Loudness loudness, const std::string& text);
  void tell_start(const Seat& seat, ItemNumber number);
  void tell_memory(const Seat& seat);
  void tell_pool(const WorkerDevice& device, const std::string& figure, double value);
  void tell_progress();
  void write_state(const RunProgress& progress, bool over);
  RunProgress progress_now() const;
  Json state_json(const RunProgress& progress, bool over) const;
  std::optional<double> seconds_left() const;

  const RunSettings& settings_;
  const std::vector<Item>& items_;
  RecordRules rules_;
  IdentityNow identity_now_;
  RunObserver& observer_;
  observe::EventLog& events_;
  observe::Metrics& metrics_;

  std::optional<RunFolder> folder_;
  std::optional<RunSignals> signals_;
  std::vector<Seat> seats_;
  std::vector<ItemState> states_;
  std::vector<std::string> rungs_;  // as the first worker named them
  Bytes share_;
  struct FreeMemory {
    Clock::time_point asked{};
    Bytes free;
  };
  std::map<std::string, FreeMemory> free_memory_;  // by the word for a memory
  std::deque<ItemNumber> unmeasured_;
  WorkQueue queue_;
  double waiting_cost_ = 0;
  Bytes waiting_output_;
  std::vector<std::pair<Clock::time_point, ItemNumber>> delayed_;
  std::vector<ItemNumber> crowded_;  // for which the disk has no room now
  LearnedNeeds needs_;
  Fallback fallback_;
  std::size_t remaining_ = 0;
  Totals totals_;

  Clock::time_point began_ = Clock::now();
  Clock::time_point told_{}, state_written_{}, metrics_written_{}, disk_asked_{};
  bool paused_ = false, full_ = false, stopping_ = false, hurried_ = false, killed_ = false;
  Clock::time_point paused_since_{}, stop_since_{};
};

}  // namespace weir::jobs
