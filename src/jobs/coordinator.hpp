#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jobs/device.hpp"
#include "jobs/run.hpp"
#include "jobs/stages.hpp"
#include "observe/event_log.hpp"
#include "observe/metrics.hpp"

namespace weir::jobs {

/// What a run does when the disk has no space for the next output.
enum class FullDiskPolicy {
  wait,  ///< wait until there is space
  stop   ///< stop the run
};

/// The settings of a run of several items.
struct RunSettings {
  std::string task;                         ///< name of the task kind of all items, such as "upscale"
  Json task_settings = Json::object();      ///< settings for the task kind, passed to every worker
  std::string unit = "megapixels";          ///< unit of ItemResult::amount, for metrics and reports
  std::vector<std::string> worker_command;  ///< program of a worker and its first arguments
  std::vector<int> inherited_descriptors;   ///< file descriptors that stay open in the workers
  std::vector<WorkerDevice> devices;        ///< at most one worker process at a time runs for each device
  Bytes ram_limit;                          ///< memory limit for the coordinator and all workers together
  RecordRules rules;
  /// All results of the run must have one ComputeConfig: that of the first item with a record of a finished result, or,
  /// if there is no such item, that of the first estimate. Results with another configuration are made again, and
  /// devices that would produce another configuration are not used.
  bool same_pixels = false;
  Prerequisites prerequisites;    ///< items that others wait for, in stages
  std::filesystem::path outputs;  ///< output folder; with RecordRules::write_records it gets the RunFolder of the run
  /// A worker that has an item and sends no message for this time is killed. stall_limit() lengthens the time for long
  /// items.
  std::chrono::duration<double> stall_timeout{120};
  /// Time that workers have to end by themselves when the run is stopped, before they are killed. A further signal
  /// (SIGINT, SIGTERM or SIGHUP) that arrives during the stop ends this time at once.
  std::chrono::milliseconds stop_grace{1500};
  /// Longest wait of a worker for the lease of its device.
  std::chrono::milliseconds max_lease_wait = std::chrono::seconds{1800};
  std::size_t max_items_per_worker = 0;  ///< a worker is replaced after so many attempts at items; 0: no limit
  FullDiskPolicy full_disk_policy = FullDiskPolicy::wait;
  std::filesystem::path pause_file;          ///< the run is paused while this file exists; empty: no such file
  std::filesystem::path learned_needs_file;  ///< file of LearnedNeeds; empty: no file
  std::filesystem::path metrics_file;        ///< rewritten about every two seconds and at the end; empty: no file
};

/// Runs a worklist (the items of a run) on several devices with one worker process per device, and continues when a
/// worker dies. The coordinator itself opens no device. One object serves one run. Call run() on the main thread: it
/// handles SIGINT, SIGTERM, SIGHUP and SIGTSTP, and the workers die with the thread that started them.
class Coordinator {
 public:
  /// The references must outlive the object.
  Coordinator(const RunSettings& settings, const std::vector<Item>& items, IdentitySource identity_source,
              RunObserver& observer, observe::EventLog& events, observe::Metrics& metrics);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  /// Runs all items and returns the totals. A failed item is counted there and is no error of run(). Errors: exists,
  /// naming the holder, if another run uses the output folder; io, disk_full; over_budget if the memory limit is too
  /// small for the workers.
  Result<Totals> run();

 private:
  class Run;
  std::unique_ptr<Run> run_;
};

/// For so many prerequisites, whose number is not known at the start, the coordinator's share of the memory is planned.
inline constexpr std::size_t kMaxPlannedPrerequisites = 4096;

/// Returns the memory limit of each worker: an equal share of `ram` after the coordinator's own memory, which grows
/// with the number of items, is subtracted. `ram`: memory limit for all processes of the run; `workers`, `items`: their
/// numbers. Errors: over_budget, with the numbers, if a share is below 8 MiB.
Result<Bytes> ram_per_worker(Bytes ram, std::size_t workers, std::size_t items);

/// Returns the memory limit of a run with prerequisites in which each worker may use `worker_ram`; the inverse of
/// ram_per_worker().
Bytes ram_of_run(Bytes worker_ram, std::size_t workers, std::size_t items);

}  // namespace weir::jobs
