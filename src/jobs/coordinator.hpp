#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jobs/device.hpp"
#include "jobs/run.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"

namespace weir::jobs {

enum class FullDiskPolicy { wait, stop };

/// How a run of several items is to be done.
struct RunSettings {
  std::string task;                         ///< the kind of all items
  Json task_settings = Json::object();      ///< for the kind, in every worker
  std::string unit = "megapixels";          ///< of amounts
  std::vector<std::string> worker_command;  ///< program and first words of a worker
  std::vector<int> inherited_descriptors;   ///< open files that workers keep
  std::vector<WorkerDevice> devices;
  Bytes ram_limit;  ///< the line: sum over coordinator and workers
  RecordRules rules;
  bool same_pixels = false;       ///< one backend, precision, driver and instruction set: those of the first result
  std::filesystem::path outputs;  ///< folder of the run: its lock and state; also asked for free space
  std::chrono::duration<double> stall_timeout{120};
  /// What workers have to end by themselves when the run is stopped; a second signal takes it away.
  std::chrono::milliseconds stop_grace{1500};
  std::chrono::milliseconds max_lease_wait = std::chrono::seconds{1800};  ///< of a worker, for its device
  std::size_t max_items_per_worker = 0;                                   ///< 0: any number
  FullDiskPolicy full_disk_policy = FullDiskPolicy::wait;
  std::filesystem::path pause_file;          ///< while it exists, the run is paused; empty: none
  std::filesystem::path learned_needs_file;  ///< of LearnedNeeds
  std::filesystem::path metrics_file;        ///< rewritten about every two seconds and at the end; empty: none
};

/// Runs a worklist on several devices, one worker process each, to its end, and survives the death of any of them. It opens
/// no device and no input itself. Made once, run once, on the main thread: it takes over SIGINT, SIGTERM, SIGHUP and SIGTSTP
/// while it runs, and the workers die with the thread that started them.
class Coordinator {
 public:
  /// `items` and the rest must outlive it.
  Coordinator(const RunSettings& settings, const std::vector<Item>& items, IdentitySource identity_source,
              RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  /// Errors: exists, naming the holder, if another run has the folder; io, disk_full for the folder; over_budget if the
  /// line is too small for so many workers. Failures of items are counted in the totals.
  Result<Totals> run();

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

/// Each worker's share of the line, when the coordinator has its own. Errors: over_budget with the numbers.
Result<Bytes> ram_per_worker(Bytes ram, std::size_t workers, std::size_t items);

}  // namespace weir::jobs
