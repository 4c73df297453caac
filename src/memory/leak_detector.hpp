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

/// The levels in use of leak checks: 100 MiB in one scope raise an alarm, 50 MiB of drift in all fail a run, and a creep
/// of 5 MB a scope is a leak long before that.
struct LeakLimits {
  Bytes per_scope = 100_MiB;
  Bytes total_drift = 50_MiB;
  Bytes slope_per_scope = Bytes{2'500'000};  ///< half of the creep that must be found
  int max_rereads = 3;
  std::chrono::milliseconds reread_pause{20};
};

enum class Verdict {
  clean,
  grew_once,  ///< an alarm that a later run of the same scope did not repeat: caches and libraries that stay loaded
  alarm,      ///< more than the limit in one scope
  leak        ///< more than the limit again in a later run of the same scope
};
std::string_view name_of(Verdict verdict);

/// One run of one scope, of the side of memory (host or device) that is more suspicious; each is judged by itself. The
/// evidence that leave() gives names what grew on the other side too.
struct ScopeRecord {
  std::string name;
  int run = 1;  ///< of this name
  Side side = Side::host;
  Growth growth;
  int new_descriptors = 0;  ///< more open than before
  bool failed = false;      ///< the scope ended with an error: its growth may be what the error holds
  std::string
      unmeasured_reason;  ///< who gave no reading, as a driver that hangs: "NVML does not answer"; empty: all did
  Verdict verdict = Verdict::clean;
};

/// All scopes together. What happened once on the host excuses nothing on the device, nor the other way round.
struct LeakReport {
  bool passed = true;
  std::int64_t drift_bytes =
      0;  ///< since the baseline, without growth that happened once; of the side that drifted more
  std::int64_t one_time_growth_bytes = 0;  ///< growth that happened once, of both sides
  double slope_bytes = 0;                  ///< per scope, if it creeps
  std::string first_leak;                  ///< the scope that leaked first; empty if none
  std::string
      unmeasured_reason;  ///< who did not tell in a scope or now, as a driver that hangs; then nothing has passed
  std::string text;       ///< evidence and suspects, for people; several lines
  std::vector<ScopeRecord> suspects;  ///< alarms and leaks, in their order
  int scopes = 0;
};

/// Judges scopes as they end, and all of them together. Thread-safe; scopes of several threads may overlap, but then
/// memory cannot be told apart between them: each sees the growth of all.
class LeakDetector {
 public:
  LeakDetector(Meters meters, LeakLimits limits);

  const Meters& meters() const { return meters_; }
  /// Starts the count anew from now: after warming up.
  void set_baseline();

  struct ScopeStart {
    Sample sample;
    int descriptors;
    std::vector<std::string> silent_meters;  ///< meters that did not answer in time
  };
  ScopeStart begin_scope() const;
  /// `clean_up` is called once before the readings, and again before each re-read if memory grew above the limit: it
  /// empties caches. May be empty. Reads again only on suspicion.
  ScopeRecord end_scope(const std::string& name, const ScopeStart& start, bool failed,
                        const std::function<void()>& clean_up);

  /// Whether the drift since the baseline is within the limits, and what is suspicious.
  LeakReport report() const;

 private:
  Verdict check_record(const ScopeRecord& record);
  std::int64_t one_time_growth_bytes(Side side) const;
  std::vector<ScopeRecord> records_between(const Sample& before, const Sample& after) const;

  const Meters meters_;
  const LeakLimits limits_;
  mutable std::mutex mutex_;
  Sample baseline_;
  std::map<std::string, int, std::less<>> runs_;
  std::vector<ScopeRecord> suspects_;
  static constexpr std::size_t kMaxLevels = 240;  // slopes of all pairs: 29,000 numbers, a fraction of a millisecond
  LevelSeries host_levels_{kMaxLevels}, device_levels_{kMaxLevels};  // after each scope, in bytes above the baseline
  int scopes_ = 0;
  std::string unmeasured_reason_;  // of the first scope in which a meter did not answer
};

}  // namespace weir::memory
