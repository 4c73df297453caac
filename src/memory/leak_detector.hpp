#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "memory/growth.hpp"
#include "memory/level_series.hpp"

namespace weir::memory {

/// Limits of leak checks. A scope is a part of a program between begin_scope() and end_scope(). The drift is the whole
/// growth since the baseline, in scopes and between them.
struct LeakLimits {
  Bytes per_scope = 100_MiB;   ///< more growth in one scope is an alarm or a leak
  Bytes total_drift = 50_MiB;  ///< with more drift the check fails
  /// Steady growth per scope from which the check fails. It must detect a growth of 5 MB; the limit is half of that.
  Bytes slope_per_scope = Bytes{2'500'000};
  /// If a scope grew too much, its meters are read again up to this many times, because drivers free memory late.
  int max_rereads = 3;
  std::chrono::milliseconds reread_pause{20};  ///< time before each of these readings
};

/// Verdict on one run of a scope.
enum class Verdict {
  clean,
  /// an earlier alarm that a later run of the same scope did not repeat: caches, and libraries that stay loaded
  grew_once,
  alarm,  ///< growth above the limit in the first run of a scope
  leak    ///< growth above the limit in a later run of a scope; also an earlier alarm, which this run repeated
};
/// Returns "clean", "grew once", "alarm" or "leak".
std::string_view name_of(Verdict verdict);

/// Record of one run of a scope, for one side of memory (host or device); each side is checked separately. end_scope()
/// returns the record of the more suspicious side, whose evidence then also lists growth on the other side.
struct ScopeRecord {
  std::string name;
  int run = 1;  ///< 1 for the first scope of this name, 2 for the second, ...
  Side side = Side::host;
  Growth growth;
  int new_descriptors = 0;  ///< number of open file descriptors at the end of the scope minus that at its start
  bool failed = false;      ///< the scope ended with an error; objects that the error keeps alive may be its growth
  /// which meters did not answer in time, for example because a driver hangs: "NVML does not answer"; empty if all did
  std::string unmeasured_reason;
  Verdict verdict = Verdict::clean;
};

/// Result over all scopes. Host and device are checked separately: growth that happened only once on one side does not
/// excuse growth on the other side.
struct LeakReport {
  /// true if there are no suspects, steady growth and drift are within their limits, and all meters answered in time
  bool passed = true;
  /// drift of the side that drifted more, without one-time growth
  std::int64_t drift_bytes = 0;
  std::int64_t one_time_growth_bytes = 0;  ///< growth of both sides in records with the verdict grew_once
  double slope_bytes = 0;                  ///< steady growth per scope; 0 if it is below the limit
  std::string first_leak;                  ///< name of the scope of the first suspect; empty if there is none
  /// which meters did not answer in time, in a scope or now, for example because a driver hangs; empty if all did. If
  /// it is not empty, the check has not passed
  std::string unmeasured_reason;
  std::string text;                   ///< evidence and suspects for people, in several lines
  std::vector<ScopeRecord> suspects;  ///< alarms and leaks, in order of time
  int scopes = 0;                     ///< number of scopes that ended, also before the baseline
};

/// Detects leaks: checks each scope when it ends, and all scopes together. Thread-safe. Scopes of several threads may
/// overlap, but their memory cannot be separated: each scope then includes the growth of all.
class LeakDetector {
 public:
  LeakDetector(Meters meters, LeakLimits limits);

  const Meters& meters() const { return meters_; }
  /// Takes the current memory as the new baseline and discards what was recorded before: suspects, levels, and meters
  /// that did not answer. Call it after warming up.
  void set_baseline();

  /// Values of the meters, and number of open file descriptors, at the start of a scope.
  struct ScopeStart {
    Sample sample;
    int descriptors;
    std::vector<std::string> silent_meters;  ///< names of meters that did not answer in time
  };
  /// Reads all meters at the start of a scope. Pass the result to end_scope().
  ScopeStart begin_scope() const;
  /// Ends a scope and returns its record. `clean_up` empties caches and may be empty: it is called once before the
  /// meters are read. If memory grew above the limit, the meters are read again, with a call of `clean_up` before each
  /// reading.
  ScopeRecord end_scope(const std::string& name, const ScopeStart& start, bool failed,
                        const std::function<void()>& clean_up);

  /// Reads all meters and returns the result over all scopes since the baseline.
  LeakReport report() const;

 private:
  /// Returns the verdict on a record, and changes that of an earlier alarm of the same scope and side.
  Verdict check_record(const ScopeRecord& record);
  std::int64_t one_time_growth_bytes(Side side) const;
  std::vector<ScopeRecord> records_between(const Sample& before, const Sample& after) const;

  const Meters meters_;
  const LeakLimits limits_;
  mutable std::mutex mutex_;
  Sample baseline_;
  std::map<std::string, int, std::less<>> runs_;  // number of scopes that ended, by name
  std::vector<ScopeRecord> suspects_;
  static constexpr std::size_t kMaxLevels = 240;  // they have 28,680 pairs, whose slopes take a fraction of a ms
  // level after each scope, in bytes above the baseline
  LevelSeries host_levels_{kMaxLevels}, device_levels_{kMaxLevels};
  int scopes_ = 0;
  std::string unmeasured_reason_;  // text of the first scope in which a meter did not answer
};

}  // namespace weir::memory
