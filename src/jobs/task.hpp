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

/// What decides the bytes of a result beside its inputs, parameters and identity: with the same four they are equal.
struct ComputeConfig {
  std::string backend, precision, driver, instruction_set;
  bool operator==(const ComputeConfig&) const = default;
};
std::string to_text(const ComputeConfig& config);  ///< "cpu, int16, avx512_vnni"
Json to_json(const ComputeConfig& config);
ComputeConfig compute_config_from_json(const Json& json);

/// What one item takes with one variant: computed from headers, before anything is allocated for it.
struct Estimate {
  double cost = 1;        ///< in units of the kind, comparable between its items: multiplications, bytes
  double seconds = 0;     ///< expected; 0 if unknown
  Bytes ram = {};         ///< of the process
  Bytes device = {};      ///< of the device's own memory; zero for the CPU
  Bytes output = {};      ///< on disk
  std::string size = {};  ///< what the need depends on, for needs learned from experience: "1200x1800"
  ComputeConfig compute_config = {};
};

struct Progress {
  double fraction = 0;  ///< 0..1
  double amount = 0;    ///< done so far, in the unit that the kind reports (megapixels)
};

/// One try at one item. The references must outlive the run.
struct Attempt {
  const Item& item;
  std::size_t variant = 0;
  const std::vector<std::filesystem::path>&
      outputs;  ///< where to write: temporary files, which must not exist after an error
  std::uint64_t seed = 0;
  int attempt_number = 1;                         ///< 2: the second try at this item in this run
  std::function<void(const Progress&)> progress;  ///< a sign of life: call it often, at least after each step of work
  std::stop_token stop;
  std::function<int()> stop_signal = {};  ///< once `stop` is asked for: the signal to pass on; empty: SIGINT
};

/// What became of an attempt.
struct AttemptResult {
  std::optional<Error> error;   ///< empty: all outputs are written and synced
  bool internal_error = false;  ///< the error is a fault of ours
  bool retry = false;           ///< try again although the kind of error says otherwise; the task sees to an end of it
  bool unstable = false;        ///< the failure is one for which running in parallel may be to blame
  std::optional<std::size_t> variant;  ///< on which it was done, where that is lower than the one that was asked for
  ComputeConfig compute_config;
  Json identity =
      Json::object();  ///< what the first variant is made with: the network's name and hash; compared when resuming
  Json facts = Json::object();        ///< what the kind wants to know when resuming, before it has opened the input
  std::string report = "{}";          ///< a JSON object for --json
  std::string damage;                 ///< what of an input was not as it should be and was made up for; empty: nothing
  bool allows_damaged_input = false;  ///< a damaged input was to be used as far as it is there
  std::vector<std::string> notes;     ///< to be told to people, one line each
  double amount = 0;                  ///< done, in the kind's unit
  std::map<std::string, double> stage_seconds;  ///< by stage: "decode", "network", "encode"
  /// Of the device's memory after the item: "allocated", "in_use", "idle" and "peak" bytes, "hits" and "misses" in all.
  std::map<std::string, double> pool_statistics;
};

/// A kind of work, made ready in one worker. Used from one thread.
class Task {
 public:
  virtual ~Task() = default;
  /// The ways to do an item, best first; never empty. The same for every item.
  virtual std::vector<std::string> variants() const = 0;
  /// Errors: over_budget when it can never fit with this variant; corrupt, io, ... of the item.
  virtual Result<Estimate> estimate(const Item& item, std::size_t variant) = 0;
  virtual AttemptResult run(const Attempt& attempt) = 0;
  virtual Bytes pooled_memory() const { return {}; }  ///< kept between items for reuse
  virtual Bytes device_memory() const { return {}; }  ///< held on the device
};

/// What a worker may take.
struct WorkerResources {
  Bytes ram;   ///< for the whole process
  Bytes vram;  ///< on its device; zero: all that is free
  int threads = 1;
  std::string device;  ///< as the worker was told it (`--device`), and has proved it: "cpu:0,1", a UUID
};

/// Makes a kind ready. `settings` is what the run was started with. Errors: unsupported, invalid_argument, io.
using TaskFactory =
    std::function<Result<std::unique_ptr<Task>>(const Json& settings, const WorkerResources& resources)>;
using TaskFactories = std::map<std::string, TaskFactory>;

/// How a failure is dealt with.
enum class FailureKind {
  transient,    ///< tried again, with growing pauses: device lost, out of memory, worker died
  persistent,   ///< recorded, and not tried again until the input changes: undecodable
  environment,  ///< neither retried nor recorded: no such file, output in the way, no variant fits
  disk_full     ///< waits for room
};
FailureKind kind_of(Errc code);
std::string_view name_of(FailureKind kind);

}  // namespace weir::jobs
