#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "jobs/item.hpp"

namespace weir::jobs {

/// How a result is computed, such as {"cpu", "int16", "", "avx512_vnni"}; empty texts: it does not depend on that. Two results with the same inputs, parameters,
/// identity (AttemptResult::identity) and ComputeConfig are equal byte by byte.
struct ComputeConfig {
  std::string backend, precision, driver, instruction_set;
  bool operator==(const ComputeConfig&) const = default;
};
/// Returns a text such as "cpu, int16, avx512_vnni".
std::string to_text(const ComputeConfig& config);
Json to_json(const ComputeConfig& config);
ComputeConfig compute_config_from_json(const Json& json);

/// The expected cost and memory of one item with one variant, computed from file headers before anything is allocated.
struct Estimate {
  double cost = 1;     ///< work in a unit of the task kind, such as multiplications, to compare items of this kind
  double seconds = 0;  ///< expected duration; 0 if unknown
  Bytes ram = {};      ///< memory of the process
  Bytes device = {};   ///< memory on the device; zero for the CPU
  Bytes output = {};   ///< expected size of the outputs on disk
  std::string input_size = {};  ///< input size as text, "1200x1800"; with one variant, equal sizes need the same memory
  ComputeConfig compute_config = {};
};

/// The progress of one item.
struct Progress {
  double fraction = 0;  ///< 0..1
  double amount = 0;    ///< work done so far, in the unit of the task kind (megapixels)
};

/// One attempt at one item. The references must outlive Task::run().
struct Attempt {
  const Item& item;
  std::size_t variant = 0;  ///< index in Task::variants()
  /// Temporary files to write, one per output of the item. The caller removes them after an error.
  const std::vector<std::filesystem::path>& outputs;
  std::uint64_t seed = 0;  ///< seed_of(item)
  int attempt_number = 1;  ///< number of the attempt at this item in this run, from 1
  /// The task calls it often, at least after each step of work. It reports progress and sends the heartbeat: a worker
  /// without one counts as hung.
  std::function<void(const Progress&)> progress;
  std::stop_token stop;  ///< the task ends soon after a stop is requested, with the error `cancelled`
  /// Returns the number of the signal to pass on to child processes once `stop` is requested. Empty: SIGINT.
  std::function<int()> stop_signal = {};
};

/// The result of an attempt.
struct AttemptResult {
  std::optional<Error> error;   ///< empty: all outputs are written and synced
  bool internal_error = false;  ///< the error is a defect of weir
  bool retry = false;           ///< try again after any kind of error; the task limits the number of attempts itself
  bool unstable = false;        ///< parallel work may have caused the failure
  std::optional<std::size_t> variant;  ///< index of the variant that was used, if the task chose a smaller one itself
  ComputeConfig compute_config;
  /// What the first variant uses besides inputs and parameters, such as the network's name and hash. Compared when a
  /// run resumes: another identity makes the item run again.
  Json identity = Json::object();
  Json facts = Json::object();  ///< properties of the input, such as width and height, that IdentitySource receives
  std::string report = "{}";    ///< text of a JSON object for --json
  std::string damage;           ///< the part of an input that was damaged and was filled in; empty: none
  bool allows_damaged_input = false;            ///< the run allowed the use of the intact part of a damaged input
  std::vector<std::string> notes;               ///< messages for the user, one line each
  double amount = 0;                            ///< work done, in the unit of the task kind
  std::map<std::string, double> stage_seconds;  ///< seconds by stage: "decode", "network", "encode"
  /// Statistics of the device's memory pool after the item: "allocated", "in_use", "idle" and "peak" in bytes, and the
  /// numbers of "hits" (requests served by an idle block) and "misses" (all other requests) since the start of the
  /// worker.
  std::map<std::string, double> pool_statistics;
};

/// An implementation of a task kind, such as the enlarging of pictures, prepared in one worker. Used from one thread.
class Task {
 public:
  virtual ~Task() = default;
  /// Returns the names of the variants (ways to process an item, such as different networks), best and largest first;
  /// never empty, the same for every item. A variant is identified by its index in this list.
  virtual std::vector<std::string> variants() const = 0;
  /// Estimates an item. Errors: over_budget if the item can never fit with this variant; corrupt, io and other errors
  /// of the item itself.
  virtual Result<Estimate> estimate(const Item& item, std::size_t variant) = 0;
  /// Processes an item. Errors are in the result.
  virtual AttemptResult run(const Attempt& attempt) = 0;
  virtual Bytes pooled_memory() const { return {}; }  ///< bytes that the task keeps between items for reuse
  virtual Bytes device_memory() const { return {}; }  ///< bytes that the task holds on the device
};

/// The resources that a worker may use.
struct WorkerResources {
  Bytes ram;   ///< memory limit of the whole process
  Bytes vram;  ///< memory limit on its device; zero: all free memory
  int threads = 1;
  std::string device;  ///< value of `weir worker --device`: "cpu:0,1", a UUID; empty: not in a worker
};

/// Makes a task. `settings`: RunSettings::task_settings. Errors: unsupported, invalid_argument, io, and others of the
/// kind.
using TaskFactory =
    std::function<Result<std::unique_ptr<Task>>(const Json& settings, const WorkerResources& resources)>;
/// The factory of each task kind, by the kind's name.
using TaskFactories = std::map<std::string, TaskFactory>;

/// How the failure of an item is handled.
enum class FailureKind {
  transient,    ///< tried again with growing delays: device lost, out of memory, timed out
  persistent,   ///< recorded, and tried again only if the item changes or on request: input that cannot be decoded
  environment,  ///< neither retried nor recorded: no such file, an output that exists
  disk_full     ///< the item waits for disk space
};
/// Returns how a failure with this error code is handled.
FailureKind kind_of(Errc code);

}  // namespace weir::jobs
