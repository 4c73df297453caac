#include "memory/leak_judge.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::memory {
namespace {

constexpr std::size_t kMostLevels = 240;  // slopes of all pairs: 29,000 numbers, a fraction of a millisecond

bool exceeds(std::int64_t bytes, Bytes limit) { return bytes > 0 && Bytes{static_cast<std::uint64_t>(bytes)} > limit; }

void remember(std::vector<double>& levels, double level) {
  if (levels.size() == kMostLevels) levels.erase(levels.begin());
  levels.push_back(level);
}

std::string to_line(const ScopeRecord& record) {
  return fmt::format("{}: {} in run {} of scope '{}' ({}{}{})\n", name_of(record.verdict),
                     signed_text(record.growth.bytes), record.run, printable(record.name), record.growth.evidence,
                     record.growth.confirmed ? "" : "; one witness only",
                     record.failed ? "; the scope ended with an error" : "");
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::clean:
      return "clean";
    case Verdict::grew_once:
      return "grew once";
    case Verdict::alarm:
      return "alarm";
    case Verdict::leak:
      return "leak";
  }
  return "unknown";
}

LeakJudge::LeakJudge(Meters meters, LeakLimits limits)
    : meters_{std::move(meters)}, limits_{limits}, baseline_{take_sample(meters_)} {}

void LeakJudge::set_baseline() {
  Sample now = take_sample(meters_);
  const std::lock_guard lock{mutex_};
  baseline_ = std::move(now);
  host_levels_.clear();
  device_levels_.clear();
  suspects_.clear();
}

LeakJudge::Start LeakJudge::enter() const { return {take_sample(meters_), open_descriptors()}; }

ScopeRecord LeakJudge::leave(const std::string& name, const Start& start, bool failed,
                             const std::function<void()>& clean_up) {
  if (clean_up) clean_up();
  Sample now = take_sample(meters_);
  ScopeRecord record{.name = name, .growth = largest_growth(meters_, start.sample, now), .failed = failed};
  for (int i = 0; i < limits_.rereads && exceeds(record.growth.bytes, limits_.per_scope); ++i) {
    std::this_thread::sleep_for(limits_.reread_pause);  // drivers give memory back late
    if (clean_up) clean_up();
    now = take_sample(meters_);
    record.growth = largest_growth(meters_, start.sample, now);
  }
  record.descriptors = open_descriptors() - start.descriptors;
  const std::lock_guard lock{mutex_};
  record.run = ++runs_[name];
  record.verdict = judge(record);
  ++scopes_;
  remember(host_levels_, static_cast<double>(growth_between(meters_, Side::host, baseline_, now).bytes));
  remember(device_levels_, static_cast<double>(growth_between(meters_, Side::device, baseline_, now).bytes));
  if (record.verdict != Verdict::clean) suspects_.push_back(record);
  return record;
}

/// With the lock held. A later run of a scope decides about its alarm.
Verdict LeakJudge::judge(const ScopeRecord& record) {
  const bool grew = exceeds(record.growth.bytes, limits_.per_scope);
  const auto earlier = std::find_if(suspects_.begin(), suspects_.end(), [&](const ScopeRecord& one) {
    return one.name == record.name && one.verdict == Verdict::alarm;
  });
  if (earlier == suspects_.end()) return !grew ? Verdict::clean : record.run == 1 ? Verdict::alarm : Verdict::leak;
  earlier->verdict = grew ? Verdict::leak : Verdict::grew_once;
  return grew ? Verdict::leak : Verdict::clean;
}

LeakReport LeakJudge::report() const {
  const Sample now = take_sample(meters_);
  const std::lock_guard lock{mutex_};
  LeakReport report;
  report.scopes = scopes_;
  const Growth drift = largest_growth(meters_, baseline_, now);
  for (const ScopeRecord& record : suspects_) {
    if (record.verdict == Verdict::grew_once) report.once_bytes += record.growth.bytes;
    if (record.verdict == Verdict::grew_once) continue;
    report.suspects.push_back(record);
    if (report.first_leak.empty()) report.first_leak = record.name;
  }
  report.drift_bytes = drift.bytes - report.once_bytes;
  report.slope_bytes = std::max(steady_slope(host_levels_), steady_slope(device_levels_));
  if (report.slope_bytes < static_cast<double>(limits_.slope.count())) report.slope_bytes = 0;
  report.passed =
      report.suspects.empty() && report.slope_bytes == 0 && !exceeds(report.drift_bytes, limits_.total_drift);
  report.text = fmt::format("{} scopes, drift {} ({})\n", scopes_, signed_text(report.drift_bytes), drift.evidence);
  if (report.once_bytes > 0)
    report.text += fmt::format("not counted: {} of growth that happened once\n", signed_text(report.once_bytes));
  if (report.slope_bytes > 0)
    report.text += fmt::format("creep: {} per scope\n", signed_text(static_cast<std::int64_t>(report.slope_bytes)));
  for (const ScopeRecord& record : report.suspects) report.text += to_line(record);
  return report;
}

}  // namespace weir::memory
