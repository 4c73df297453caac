#include "memory/leak_detector.hpp"

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace weir::memory {
namespace {

bool exceeds(std::int64_t bytes, Bytes limit) { return bytes > 0 && Bytes{static_cast<std::uint64_t>(bytes)} > limit; }

/// Adds the names of the meters whose last read timed out.
void add_timed_out(const Meters& meters, std::vector<std::string>& names) {
  for (const auto& meter : meters) {
    const std::string name{meter->name()};
    if (meter->has_timed_out() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
}

std::string no_answer_text(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  return fmt::format("{} {} not answer", fmt::join(names, " and "), names.size() == 1 ? "does" : "do");
}

/// Returns the most suspicious of a scope's records, with the evidence of the others that grew.
ScopeRecord summary_of(const std::vector<ScopeRecord>& records) {
  const auto worst = std::max_element(records.begin(), records.end(), [](const ScopeRecord& a, const ScopeRecord& b) {
    return std::pair{a.verdict, a.growth.bytes} < std::pair{b.verdict, b.growth.bytes};
  });
  ScopeRecord summary = *worst;
  for (auto other = records.begin(); other != records.end(); ++other)
    if (other != worst && other->growth.bytes > 0) summary.growth.evidence += ", " + other->growth.evidence;
  return summary;
}

std::string to_line(const ScopeRecord& record) {
  return fmt::format("{}: {} in run {} of scope '{}' ({}{}{})\n", name_of(record.verdict),
                     format_signed_bytes(record.growth.bytes), record.run, printable(record.name),
                     record.growth.evidence, record.growth.confirmed ? "" : "; measured by one source only",
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

LeakDetector::LeakDetector(Meters meters, LeakLimits limits)
    : meters_{std::move(meters)}, limits_{limits}, baseline_{take_sample(meters_)} {}

void LeakDetector::set_baseline() {
  Sample now = take_sample(meters_);
  const std::lock_guard lock{mutex_};
  baseline_ = std::move(now);
  host_levels_.clear();
  device_levels_.clear();
  suspects_.clear();
  unmeasured_reason_.clear();
}

LeakDetector::ScopeStart LeakDetector::begin_scope() const {
  ScopeStart start{.sample = take_sample(meters_), .descriptors = count_open_descriptors(), .silent_meters = {}};
  add_timed_out(meters_, start.silent_meters);
  return start;
}

ScopeRecord LeakDetector::end_scope(const std::string& name, const ScopeStart& start, bool failed,
                                    const std::function<void()>& clean_up) {
  if (clean_up) clean_up();
  Sample now = take_sample(meters_);
  auto records = records_between(start.sample, now);
  const auto too_large = [&](const ScopeRecord& one) { return exceeds(one.growth.bytes, limits_.per_scope); };
  for (int i = 0; i < limits_.max_rereads && std::any_of(records.begin(), records.end(), too_large); ++i) {
    std::this_thread::sleep_for(limits_.reread_pause);  // drivers free memory with a delay
    if (clean_up) clean_up();
    now = take_sample(meters_);
    records = records_between(start.sample, now);
  }
  std::vector<std::string> silent_meters = start.silent_meters;
  add_timed_out(meters_, silent_meters);
  const int descriptors = count_open_descriptors() - start.descriptors;
  const std::lock_guard lock{mutex_};
  const int run = ++runs_[name];
  ++scopes_;
  if (unmeasured_reason_.empty() && !silent_meters.empty())
    unmeasured_reason_ = fmt::format("{} (scope '{}')", no_answer_text(silent_meters), name);
  for (ScopeRecord& record : records) {
    record.name = name;
    record.run = run;
    record.new_descriptors = descriptors;
    record.failed = failed;
    record.unmeasured_reason = no_answer_text(silent_meters);
    record.verdict = check_record(record);
    if (record.verdict != Verdict::clean) suspects_.push_back(record);
  }
  host_levels_.add(static_cast<double>(growth_between(meters_, Side::host, baseline_, now).bytes));
  device_levels_.add(static_cast<double>(growth_between(meters_, Side::device, baseline_, now).bytes));
  return summary_of(records);
}

/// Returns one record per side that has a reading; one record of the host if there is none.
std::vector<ScopeRecord> LeakDetector::records_between(const Sample& before, const Sample& after) const {
  std::vector<ScopeRecord> records;
  for (const Side side : {Side::device, Side::host}) {
    ScopeRecord record;
    record.side = side;
    record.growth = growth_between(meters_, side, before, after);
    if (!record.growth.evidence.empty()) records.push_back(std::move(record));
  }
  if (records.empty()) records.emplace_back();
  return records;
}

/// Returns the verdict on a record; called with the lock held. A later run of a scope turns its alarm into "leak" or
/// "grew once".
Verdict LeakDetector::check_record(const ScopeRecord& record) {
  const bool grew = exceeds(record.growth.bytes, limits_.per_scope);
  const auto earlier = std::find_if(suspects_.begin(), suspects_.end(), [&](const ScopeRecord& one) {
    return one.name == record.name && one.side == record.side && one.verdict == Verdict::alarm;
  });
  if (earlier == suspects_.end()) return !grew ? Verdict::clean : record.run == 1 ? Verdict::alarm : Verdict::leak;
  earlier->verdict = grew ? Verdict::leak : Verdict::grew_once;
  return grew ? Verdict::leak : Verdict::clean;
}

/// Returns the one-time growth of a side; called with the lock held.
std::int64_t LeakDetector::one_time_growth_bytes(Side side) const {
  std::int64_t bytes = 0;
  for (const ScopeRecord& record : suspects_)
    if (record.side == side && record.verdict == Verdict::grew_once) bytes += record.growth.bytes;
  return bytes;
}

LeakReport LeakDetector::report() const {
  const Sample now = take_sample(meters_);
  const std::lock_guard lock{mutex_};
  LeakReport report;
  report.scopes = scopes_;
  std::copy_if(suspects_.begin(), suspects_.end(), std::back_inserter(report.suspects),
               [](const ScopeRecord& record) { return record.verdict != Verdict::grew_once; });
  if (!report.suspects.empty()) report.first_leak = report.suspects.front().name;
  std::string evidence;
  bool drifted = false;
  for (const ScopeRecord& drift : records_between(baseline_, now)) {  // one for each side
    const std::int64_t one_time_bytes = one_time_growth_bytes(drift.side);
    const std::int64_t drift_bytes = drift.growth.bytes - one_time_bytes;
    report.one_time_growth_bytes += one_time_bytes;
    const bool is_first_side = evidence.empty();
    report.drift_bytes = is_first_side ? drift_bytes : std::max(report.drift_bytes, drift_bytes);
    drifted = drifted || exceeds(drift_bytes, limits_.total_drift);
    evidence += (is_first_side ? "" : ", ") + drift.growth.evidence;
  }
  report.slope_bytes = std::max(host_levels_.steady_slope(), device_levels_.steady_slope());
  if (report.slope_bytes < static_cast<double>(limits_.slope_per_scope.count())) report.slope_bytes = 0;
  std::vector<std::string> silent_meters;
  add_timed_out(meters_, silent_meters);
  report.unmeasured_reason =
      !unmeasured_reason_.empty() || silent_meters.empty() ? unmeasured_reason_ : no_answer_text(silent_meters);
  report.passed = report.suspects.empty() && report.slope_bytes == 0 && !drifted && report.unmeasured_reason.empty();
  report.text = fmt::format("{} scopes, drift {} ({})\n", scopes_, format_signed_bytes(report.drift_bytes), evidence);
  if (report.one_time_growth_bytes > 0)
    report.text += fmt::format("not counted: {} of growth that happened once\n",
                               format_signed_bytes(report.one_time_growth_bytes));
  if (report.slope_bytes > 0)
    report.text += fmt::format("steady growth: {} per scope\n",
                               format_signed_bytes(static_cast<std::int64_t>(report.slope_bytes)));
  if (!report.unmeasured_reason.empty()) report.text += fmt::format("unknown: {}\n", report.unmeasured_reason);
  for (const ScopeRecord& record : report.suspects) report.text += to_line(record);
  return report;
}

}  // namespace weir::memory
