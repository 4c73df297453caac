#pragma once

// The memory guard as a library: checks whether memory is freed again after each piece of work. C++20.
//
//   for (const auto& test : tests) {
//     weir::GuardScope scope{test.name};
//     test.run();
//   }                                              // when a scope ends, the guard records its memory growth
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

/// The main memory of this process and of the machine at one moment.
struct MemoryStatistics {
  std::uint64_t allocated_bytes = 0,      ///< bytes that malloc has handed out to the program; 0 if unknown
      reserved_bytes = 0,                 ///< resident memory of the process, but at least allocated_bytes
      max_allocated_bytes = 0,            ///< the same as allocated_bytes, because malloc keeps no peak
      max_reserved_bytes = 0;             ///< peak of the resident memory so far, but at least reserved_bytes
  std::uint64_t total_bytes = 0,          ///< memory of the machine
      free_bytes = 0;                     ///< memory that is available to all processes
  double utilization_pct = 0;             ///< share of total_bytes in use by all processes, in percent
  std::uint64_t fragmentation_bytes = 0;  ///< reserved_bytes - allocated_bytes
  double fragmentation_pct = 0;           ///< share of reserved_bytes that is not handed out, in percent
};

/// Limits and settings of a guard.
struct GuardOptions {
  std::uint64_t scope_limit_bytes = 100ULL << 20U;  ///< limit of the growth in one scope; more is an alarm or a leak
  std::uint64_t drift_limit_bytes = 50ULL << 20U;   ///< limit of the growth since the baseline; more fails validate()
  int repeated_readings = 3;       ///< how often at most memory is read again before growth above the limit counts
  int reading_pause_ms = 20;       ///< pause before each repeated reading
  int driver_timeout_ms = 10'000;  ///< time limit for each answer of a driver
  std::string pci_address{};       ///< PCI address of an NVIDIA card to measure, "0000:01:00.0"; empty: none. If it
                                   ///< is invalid, the results of scopes name it, and validate() does not pass
};

/// The result of one scope.
struct ScopeResult {
  std::string name;               ///< name of the scope
  int run_number = 1;             ///< 1 for the first scope of this name, 2 for the second, ...
  std::int64_t growth_bytes = 0;  ///< the smaller of the growths that the allocator and the system measured, or the
                                  ///< only one that was measured; negative if memory shrank
  bool confirmed = false;         ///< true if both the allocator and the system could be measured
  std::string evidence;           ///< the measurements, for example "malloc +120 MiB, resident memory +118 MiB"
  int new_descriptors = 0;        ///< change of the number of open file descriptors
  std::string verdict;            ///< "alarm": more growth than the limit in the first scope of this name; "leak": more
                                  ///< growth than the limit in a later scope of this name; "clean": neither
  std::string unmeasured_reason;  ///< which sources did not answer in time, for example "NVML does not answer", or
                                  ///< that GuardOptions::pci_address is invalid; the verdict does not include them;
                                  ///< empty: all answered in time
};

/// The result of all scopes since the baseline.
struct GuardReport {
  bool passed = true;               ///< false if memory leaks, a driver did not answer, or the PCI address is invalid
  std::int64_t drift_bytes = 0;     ///< growth since the baseline, without growth that happened only once
  std::int64_t one_time_bytes = 0;  ///< growth above the limit that a later scope of the same name did not repeat
  double bytes_per_scope = 0;       ///< steady growth per scope; 0 if it is below 2.5 MB
  int scopes = 0;                   ///< number of scopes that ended; add_counter() resets it, set_baseline() does not
  std::string first_leak;           ///< name of the first scope with an alarm or a leak; empty if there is none
  std::string text;                 ///< evidence and suspicious scopes as text for people, several lines
};

/// Measures the memory of this process: bytes that malloc has handed out, resident memory, memory of GPUs (as the
/// kernel reports it in fdinfo, and as the driver of one NVIDIA card reports it), and any counters that the program
/// adds. A scope (GuardScope) is one piece of work. Thread-safe, but the growth of overlapping scopes of several
/// threads cannot be separated. Functions throw only std::bad_alloc.
class WEIR_API Guard {
 public:
  explicit Guard(GuardOptions options = {});
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Returns the guard of the process. The first call makes it, with the default options.
  static Guard& process();

  /// The memory that a counter measures: the main memory (host), or the memory of a device such as a GPU.
  enum class Memory { host, device };
  /// Who counts the bytes: the program's own allocator, or the system (a driver or the kernel).
  enum class CounterSource { allocator, system };
  /// Adds a counter to the measurements, and sets a new baseline: earlier scopes are no longer part of validate(). No
  /// scope may be open. `read` returns bytes, or nothing if no value is available; the guard calls it from any thread.
  void add_counter(const std::string& name, Memory memory, CounterSource source,
                   std::function<std::optional<std::uint64_t>()> read);
  /// Sets a function that empties caches. The guard calls it before the readings at the end of a scope, and before each
  /// repeated reading.
  void set_clean_up(std::function<void()> clean_up);
  /// Makes the present memory the baseline of all growth, and discards the alarms and leaks of earlier scopes. Call it
  /// after the program has filled its caches.
  void set_baseline();
  /// Returns the result of all scopes since the baseline, and logs it.
  GuardReport validate() const;
  /// Returns the memory of this process and machine now.
  MemoryStatistics statistics() const;

  /// Opens a log: from now on each scope's result is appended to this file, one JSON object per line, with the event
  /// names that weir's own runs use (docs/events.md). Several processes may write to one file. Returns nothing on
  /// success.
  /// Errors: io.
  std::optional<Problem> log_to(const std::string& path);
  /// The severity of an event.
  enum class Level { info, warning, error };
  /// The fields of an event: names and values.
  using Fields = std::vector<std::pair<std::string, std::variant<bool, std::int64_t, double, std::string>>>;
  /// Writes an event of the program itself to the log. Does nothing if there is no log. A line that cannot be written
  /// is dropped; log_problem() returns the reason.
  void log_event(Level level, const std::string& event, const Fields& fields = {});
  /// Returns why the first dropped line could not be written; nothing if none was dropped.
  std::optional<Problem> log_problem() const;

 private:
  friend class GuardScope;
  struct State;
  std::unique_ptr<State> state_;
};

/// Measures one piece of work: memory is read when the scope object is created and again when the scope ends. The guard
/// must outlive the scope object. Not thread-safe: use it from one thread at a time.
class WEIR_API GuardScope {
 public:
  explicit GuardScope(std::string name, Guard& guard = Guard::process());
  /// Unless finish() or abandon() has ended the scope, ends it as finish() does. The work counts as failed if an
  /// exception is leaving the scope.
  ~GuardScope();
  GuardScope(const GuardScope&) = delete;
  GuardScope& operator=(const GuardScope&) = delete;

  /// Ends the scope and returns its result; may be called once. `failed`: the work ended with an error, and the error
  /// object may still hold memory. `why` is the text of the error for the log.
  ScopeResult finish(bool failed = false, const std::string& why = {});
  /// Ends the scope without a result and without reading any memory, for instance after finish() was interrupted.
  void abandon();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
