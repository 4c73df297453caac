#pragma once

// The guard as a library: does memory come back after each piece of work? C++20.
//
//   for (const auto& test : tests) {
//     weir::GuardScope scope{test.name};
//     test.run();
//   }                                              // an alarm is remembered when the scope ends
//   if (auto report = weir::Guard::process().validate(); !report.passed) complain(report.text);

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "weir/upscale.hpp"

namespace weir {

/// Bytes and percent. Free is what the device, or the machine, has left for everybody.
struct MemoryStatistics {
  std::uint64_t allocated_bytes = 0, reserved_bytes = 0, max_allocated_bytes = 0, max_reserved_bytes = 0;
  std::uint64_t total_bytes = 0, free_bytes = 0;
  double utilization_pct = 0;
  std::uint64_t fragmentation_bytes = 0;  ///< reserved - allocated
  double fragmentation_pct = 0;           ///< of reserved
};

struct GuardOptions {
  std::uint64_t scope_limit_bytes = 100ULL << 20U;  ///< more growth in one scope is an alarm
  std::uint64_t drift_limit_bytes = 50ULL << 20U;   ///< more in all fails
  int repeated_readings = 3;                        ///< before growth is believed, readings that many times
  int reading_pause_ms = 20;                        ///< apart
  int driver_timeout_ms = 10'000;                   ///< how long a driver may take for each question
  std::string pci_address{};                        ///< the NVIDIA card to watch, "0000:01:00.0"; empty: no such card
};

/// What became of one scope. Growth is signed and is what allocator and system agree on, in bytes.
struct ScopeResult {
  std::string name;
  int run_number = 1;  ///< of this name
  std::int64_t growth_bytes = 0;
  bool confirmed = false;         ///< two witnesses agree
  std::string evidence;           ///< "malloc +120 MiB, resident memory +118 MiB"
  int new_descriptors = 0;        ///< more open than before
  std::string verdict;            ///< "clean", "alarm", "leak"
  std::string unmeasured_reason;  ///< "NVML does not answer": the verdict is without it; empty: all answered
};

struct GuardReport {
  bool passed = true;
  std::int64_t drift_bytes = 0;     ///< bytes since the baseline, without growth that happened once
  std::int64_t one_time_bytes = 0;  ///< growth that a second run of the same scope did not repeat
  double bytes_per_scope = 0;       ///< bytes per scope, if memory creeps
  int scopes = 0;
  std::string first_leak;  ///< the scope that leaked first; empty if none did
  std::string text;        ///< evidence and suspects, several lines
};

/// Watches the memory of this process: malloc and resident memory, its use of DRM devices, one NVIDIA card, and whatever
/// counters are added. Thread-safe. Nothing throws but for want of memory.
class WEIR_API Guard {
 public:
  explicit Guard(GuardOptions options = {});
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// The one of the process, with the default options, made at the first call.
  static Guard& process();

  enum class Memory { host, device };
  enum class CounterSource { allocator, system };
  /// Watches one more counter and sets the baseline anew; not while a scope is open. `read` gives bytes, or nothing when
  /// it cannot say; it is called from any thread.
  void add_counter(const std::string& name, Memory memory, CounterSource source,
                   std::function<std::optional<std::uint64_t>()> read);
  /// Called before the readings at the end of a scope, and before each further reading: to empty caches.
  void set_clean_up(std::function<void()> clean_up);
  /// Counts from now: call it after warming up.
  void set_baseline();
  /// The verdict over all scopes since the baseline.
  GuardReport validate() const;
  MemoryStatistics statistics() const;

  /// Appends from now on what becomes of each scope to a file, one JSON object a line, under the names that weir's own
  /// runs use (docs/events.md); several processes may write to one file. Empty: it is open; else why it is not.
  std::optional<Problem> log_to(const std::string& path);
  enum class Level { info, warning, error };
  using Fields = std::vector<std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>>;
  /// Writes an event of the program's own there. A line that cannot be written is dropped, and log_problem() says why.
  void log_event(Level level, const std::string& event, const Fields& fields = {});
  /// Why the first line that was dropped could not be written; empty: none was.
  std::optional<Problem> log_problem() const;

 private:
  friend class GuardScope;
  struct State;
  std::unique_ptr<State> state_;
};

/// One piece of work between its beginning and its end. Not to be shared between threads.
class WEIR_API GuardScope {
 public:
  explicit GuardScope(std::string name, Guard& guard = Guard::process());
  /// Ends the scope if finish() did not.
  ~GuardScope();
  GuardScope(const GuardScope&) = delete;
  GuardScope& operator=(const GuardScope&) = delete;

  /// At most once. `failed`: the work ended with an error, which may hold memory; `why` is for the log.
  ScopeResult finish(bool failed = false, const std::string& why = {});
  /// Ends the scope without a verdict, and asks no driver: where finish() was given up.
  void abandon();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
