#include "weir/guard.hpp"

#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "api/problem.hpp"
#include "base/text.hpp"
#include "device/device_meters.hpp"
#include "memory/deadline_meter.hpp"
#include "memory/leak_detector.hpp"
#include "memory/statistics.hpp"
#include "observe/event_log.hpp"

namespace weir {
namespace {

memory::LeakLimits limits_of(const GuardOptions& options) {
  memory::LeakLimits limits;
  limits.per_scope = Bytes{options.scope_limit_bytes};
  limits.total_drift = Bytes{options.drift_limit_bytes};
  limits.max_rereads = options.repeated_readings;
  limits.reread_pause = std::chrono::milliseconds{options.reading_pause_ms};
  return limits;
}

/// Returns the meters of main memory, and those of device memory. The latter call drivers, which may hang, so each gets
/// a time limit.
memory::Meters standard_meters(const GuardOptions& options) {
  memory::Meters meters{memory::make_malloc_meter(), memory::make_resident_meter()};
  const auto add = [&](const char* name, memory::MeterFactory make) {
    const std::chrono::milliseconds timeout{options.driver_timeout_ms};
    auto meter =
        memory::make_deadline_meter(name, memory::Side::device, memory::MeterLayer::system, timeout, std::move(make));
    if (meter) meters.push_back(std::move(meter));
  };
  add("fdinfo", device::make_fdinfo_meter);
  if (const auto card = device::parse_pci_address(options.pci_address))
    add("NVML", [card = *card] { return device::make_nvml_meter(card); });
  return meters;
}

/// Returns why the card of options.pci_address cannot be measured: the address is invalid. Empty if it is valid, or none
/// is given.
std::string address_problem(const GuardOptions& options) {
  if (options.pci_address.empty() || device::parse_pci_address(options.pci_address)) return {};
  return fmt::format("\"{}\" is no PCI address, so no card is measured with NVML", printable(options.pci_address));
}

ScopeResult result_of(const memory::ScopeRecord& record) {
  return {.name = record.name,
          .run_number = record.run,
          .growth_bytes = record.growth.bytes,
          .confirmed = record.growth.confirmed,
          .evidence = record.growth.evidence,
          .new_descriptors = record.new_descriptors,
          .verdict = std::string{name_of(record.verdict)},
          .unmeasured_reason = record.unmeasured_reason};
}

observe::Level level_of(Guard::Level level) {
  if (level == Guard::Level::error) return observe::Level::error;
  if (level == Guard::Level::warning) return observe::Level::warning;
  return observe::Level::info;
}

}  // namespace

struct Guard::State {
  explicit State(const GuardOptions& given)
      : options{given},
        address_problem{weir::address_problem(given)},
        detector{std::make_shared<memory::LeakDetector>(standard_meters(given), limits_of(given))} {}

  GuardOptions options;
  std::string address_problem;  // empty: none
  mutable std::mutex mutex;     // guards the next two members
  std::shared_ptr<memory::LeakDetector> detector;
  std::function<void()> clean_up;
  mutable observe::EventLog events;

  // Each returns a copy, because another thread may replace the detector or the function at any time.
  std::shared_ptr<memory::LeakDetector> current_detector() const {
    const std::lock_guard lock{mutex};
    return detector;
  }
  std::function<void()> current_clean_up() const {
    const std::lock_guard lock{mutex};
    return clean_up;
  }
};

Guard::Guard(GuardOptions options) : state_{std::make_unique<State>(options)} {}
Guard::~Guard() = default;

Guard& Guard::process() {
  static Guard guard;
  return guard;
}

void Guard::add_counter(const std::string& name, Memory memory, CounterSource source,
                        std::function<std::optional<std::uint64_t>()> read) {
  const auto side = memory == Memory::host ? memory::Side::host : memory::Side::device;
  const auto layer = source == CounterSource::allocator ? memory::MeterLayer::allocator : memory::MeterLayer::system;
  const auto read_bytes = [read = std::move(read)]() -> std::optional<Bytes> {
    const auto bytes = read();
    return bytes ? std::optional{Bytes{*bytes}} : std::nullopt;
  };
  const std::lock_guard lock{state_->mutex};
  memory::Meters meters = state_->detector->meters();
  meters.push_back(memory::make_counter_meter(name, side, layer, read_bytes));
  state_->detector = std::make_shared<memory::LeakDetector>(std::move(meters), limits_of(state_->options));
}

void Guard::set_clean_up(std::function<void()> clean_up) {
  const std::lock_guard lock{state_->mutex};
  state_->clean_up = std::move(clean_up);
}

void Guard::set_baseline() { state_->current_detector()->set_baseline(); }

GuardReport Guard::validate() const {
  memory::LeakReport report = state_->current_detector()->report();
  if (!state_->address_problem.empty()) {
    report.passed = false;
    report.text += fmt::format("unknown: {}\n", state_->address_problem);
  }
  state_->events.write(report.passed ? observe::Level::info : observe::Level::warning, "memory_leak_validation",
                       {{"passed", report.passed},
                        {"drift_bytes", report.drift_bytes},
                        {"bytes_per_scope", report.slope_bytes},
                        {"scopes", report.scopes},
                        {"first_leak", report.first_leak}});
  return {.passed = report.passed,
          .drift_bytes = report.drift_bytes,
          .one_time_bytes = report.one_time_growth_bytes,
          .bytes_per_scope = report.slope_bytes,
          .scopes = report.scopes,
          .first_leak = report.first_leak,
          .text = report.text};
}

MemoryStatistics Guard::statistics() const {
  const memory::MemoryStatistics host = memory::read_host_statistics();
  return {.allocated_bytes = host.allocated.count(),
          .reserved_bytes = host.reserved.count(),
          .max_allocated_bytes = host.max_allocated.count(),
          .max_reserved_bytes = host.max_reserved.count(),
          .total_bytes = host.total.count(),
          .free_bytes = host.free.count(),
          .utilization_pct = host.utilization_pct,
          .fragmentation_bytes = host.fragmentation.count(),
          .fragmentation_pct = host.fragmentation_pct};
}

std::optional<Problem> Guard::log_to(const std::string& path) {
  if (auto opened = state_->events.add_file(path); !opened) return api::to_problem(opened.error());
  return std::nullopt;
}

void Guard::log_event(Level level, const std::string& event, const Fields& fields) {
  observe::EventLog::Fields json = observe::EventLog::Fields::object();
  for (const auto& [name, value] : fields) std::visit([&, &key = name](const auto& it) { json[key] = it; }, value);
  state_->events.write(level_of(level), event, json);
}

std::optional<Problem> Guard::log_problem() const {
  if (const auto problem = state_->events.first_error()) return api::to_problem(*problem);
  return std::nullopt;
}

struct GuardScope::State {
  /// Logs the result of the scope.
  void log_result(const ScopeResult& result, bool failed, const std::string& why) const {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_time).count();
    guard.log_event(Guard::Level::info, "test_complete",
                    {{"scope", name},
                     {"run", std::int64_t{result.run_number}},
                     {"verdict", result.verdict},
                     {"growth_bytes", result.growth_bytes},
                     {"confirmed", result.confirmed},
                     {"evidence", result.evidence},
                     {"failed", failed},
                     {"seconds", seconds}});
    if (failed) guard.log_event(Guard::Level::error, "error", {{"scope", name}, {"what", why}});
    if (!result.unmeasured_reason.empty())
      guard.log_event(Guard::Level::warning, "unknown", {{"scope", name}, {"what", result.unmeasured_reason}});
    if (result.verdict != name_of(memory::Verdict::clean))
      guard.log_event(Guard::Level::warning, "memory_leak_warning",
                      {{"scope", name},
                       {"verdict", result.verdict},
                       {"leak_bytes", result.growth_bytes},
                       {"evidence", result.evidence}});
  }

  std::string name;
  Guard& guard;
  std::shared_ptr<memory::LeakDetector> detector;
  memory::LeakDetector::ScopeStart start;
  int exceptions_at_start = std::uncaught_exceptions();  // if there are more at the end, one is leaving the scope
  bool finished = false;
  std::chrono::steady_clock::time_point start_time = std::chrono::steady_clock::now();
};

GuardScope::GuardScope(std::string name, Guard& guard) {
  auto detector = guard.state_->current_detector();
  auto start = detector->begin_scope();
  state_ = std::make_unique<State>(State{std::move(name), guard, std::move(detector), std::move(start)});
}

GuardScope::~GuardScope() {
  if (state_->finished) return;
  try {
    finish(std::uncaught_exceptions() > state_->exceptions_at_start, "an exception");
  } catch (const std::exception&) {
    // There was not enough memory to measure. This scope has no result.
  }
}

void GuardScope::abandon() { state_->finished = true; }

ScopeResult GuardScope::finish(bool failed, const std::string& why) {
  state_->finished = true;
  ScopeResult result = result_of(
      state_->detector->end_scope(state_->name, state_->start, failed, state_->guard.state_->current_clean_up()));
  if (const std::string& problem = state_->guard.state_->address_problem; !problem.empty())
    result.unmeasured_reason += (result.unmeasured_reason.empty() ? "" : "; ") + problem;
  state_->log_result(result, failed, why);
  return result;
}

}  // namespace weir
