#include "observe/run_report.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <nlohmann/json.hpp>

namespace weir::observe {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxMessages = 1000;                   // further warnings and errors are dropped
constexpr double kMaxParts = 1e6;                            // larger positions are counted as this
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;  // a longer line is not parsed

std::string text_field(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_string() ? found->get<std::string>() : std::string{};
}
double number_field(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_number() ? found->get<double>() : 0;
}

/// Returns a whole number of the event from 0 to kMaxParts; 0 if the field is missing or no number.
std::size_t bounded_field(const Json& event, const char* key) {
  return static_cast<std::size_t>(std::clamp(number_field(event, key), 0.0, kMaxParts));
}
/// Returns why an item is not done, or why it was skipped; may be empty.
std::string error_text(const Json& event) {
  const auto error = event.find("error");
  std::string text = error != event.end() && error->is_object() ? text_field(*error, "what") : std::string{};
  return text.empty() ? text_field(event, "why") : text;
}

/// Builds the report of the last run from the events of a log, in their order.
class ReportBuilder {
 public:
  void add(const Json& event) {
    const std::string name = text_field(event, "event");
    const double unix_time_s = parse_timestamp(text_field(event, "time"));
    if (name == "run_start") begin_run(event, unix_time_s);
    const double time_s = unix_time_s - run_start_s_;  // since the start of the run
    report_.duration_s = std::max(report_.duration_s, time_s);
    if (name == "item_start") start_item(event, time_s);
    if (name.starts_with("item_")) add_part(event, name.substr(5));
    if (name == "item_done" || name == "item_failed") add_device_work(event);
    if (name == "item_done" || name == "item_failed" || name == "item_interrupted")
      end_item(event, name.substr(5), time_s);  // the name without "item_"
    if ((name == "item_skip" || name == "item_adopted") && !text_field(event, "damaged").empty())
      end_item(event, "skipped", time_s);
    if (name == "item_retry") end_item(event, "retry", time_s);
    if (name == "memory") add_memory(event, time_s);
    if (name == "run_end") end_run(event);
    add_message(event, name, time_s);
  }
  RunReport finish(std::size_t unreadable) {
    for (const auto& [item, running] : running_)
      report_.spans.push_back({.device = running.device,
                               .item = item,
                               .result = "unfinished",
                               .variant = {},
                               .error = {},
                               .damaged = {},
                               .start_s = running.start_s,
                               .end_s = report_.duration_s});
    report_.unreadable_lines = unreadable;
    return std::move(report_);
  }

 private:
  struct RunningItem {
    std::string device;
    double start_s = 0;
  };

  void begin_run(const Json& event, double unix_time_s) {
    report_ = {};
    running_.clear();
    run_start_s_ = unix_time_s;
    report_.start_time = text_field(event, "time");
    report_.unit = text_field(event, "unit");
  }

  void start_item(const Json& event, double time_s) {
    const std::string device = text_field(event, "device");
    running_[text_field(event, "item")] = {device, time_s};
    report_.devices.try_emplace(device);
  }

  void end_item(const Json& event, const std::string& result, double time_s) {
    const std::string item = text_field(event, "item");
    const auto found = running_.find(item);
    const RunningItem running =
        found == running_.end() ? RunningItem{text_field(event, "device"), time_s} : found->second;
    if (found != running_.end()) running_.erase(found);
    report_.spans.push_back({.device = running.device,
                             .item = item,
                             .result = result,
                             .variant = text_field(event, "variant"),
                             .error = error_text(event),
                             .damaged = text_field(event, "damaged"),
                             .start_s = running.start_s,
                             .end_s = time_s});
  }

  /// Adds what an event says about an item for which another one waits. `what`: the event's name without "item_".
  void add_part(const Json& event, const std::string& what) {
    const std::string waiting = text_field(event, "part_of");
    if (waiting.empty()) return;
    RunReport::Stage& stage = report_.stages[waiting][static_cast<int>(bounded_field(event, "stage"))];
    stage.count = bounded_field(event, "count");
    RunReport::Part& part = stage.parts[bounded_field(event, "position")];
    part.item = text_field(event, "item");
    part.device = text_field(event, "device");
    if (what == "start") {
      part.result = "unfinished";
      part.attempts = static_cast<int>(bounded_field(event, "attempt"));
      return;
    }
    part.result = what == "skip" || what == "adopted" ? "skipped" : what;
    part.error = error_text(event);
    part.seconds = number_field(event, "seconds");
    part.amount = number_field(event, "amount");
    part.peak_bytes = number_field(event, "peak_rss");
  }

  void add_device_work(const Json& event) {
    if (text_field(event, "device").empty()) return;  // an item that failed without work
    RunReport::DeviceWork& device = report_.devices[text_field(event, "device")];
    device.busy_s += number_field(event, "seconds");
    const Json stages = event.value("stage_seconds", Json::object());
    for (const auto& [stage, seconds] : stages.items()) {
      if (seconds.is_number()) device.stage_seconds[stage] += seconds.get<double>();
    }
  }

  void add_memory(const Json& event, double time_s) {
    report_.memory[text_field(event, "device")].push_back({time_s, number_field(event, "rss")});
    if (number_field(event, "coordinator_rss") > 0)
      report_.memory["coordinator"].push_back({time_s, number_field(event, "coordinator_rss")});
  }

  void end_run(const Json& event) {
    report_.completed = true;
    for (const auto& [key, value] : event.items()) {
      if (value.is_number() && key != "pid") report_.totals[key] = value.get<double>();
    }
  }

  void add_message(const Json& event, const std::string& name, double time_s) {
    const std::string level = text_field(event, "level");
    if ((level != "warning" && level != "error") || report_.messages.size() >= kMaxMessages) return;
    Json rest = event;
    for (const char* known : {"time", "level", "event", "pid"}) rest.erase(known);
    report_.messages.push_back({time_s, level, name, rest.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }

  RunReport report_;
  std::map<std::string, RunningItem> running_;
  double run_start_s_ = 0;  // time of the run_start event, in seconds since 1970
};

/// Parses the `count` digits at the position `at`. Returns false if one of them is not a digit.
bool parse_digits(std::string_view text, std::size_t at, std::size_t count, int& value) {
  const char* const digits = text.data() + at;
  return std::from_chars(digits, digits + count, value).ptr == digits + count;
}

}  // namespace

double parse_timestamp(const std::string& timestamp) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int ms = 0;
  // The positions are those of the digits in "2026-11-21T14:30:00.123Z".
  if (timestamp.size() < 20 || !parse_digits(timestamp, 0, 4, year) || !parse_digits(timestamp, 5, 2, month) ||
      !parse_digits(timestamp, 8, 2, day) || !parse_digits(timestamp, 11, 2, hour) ||
      !parse_digits(timestamp, 14, 2, minute) || !parse_digits(timestamp, 17, 2, second))
    return 0;
  if (timestamp.size() >= 24) (void)parse_digits(timestamp, 20, 3, ms);
  const std::chrono::sys_days date = std::chrono::year{year} / month / day;
  const auto days = std::chrono::duration_cast<std::chrono::seconds>(date.time_since_epoch());
  return static_cast<double>(days.count()) + hour * 3600 + minute * 60 + second + ms / 1000.0;
}

RunReport read_run_report(std::istream& lines) {
  ReportBuilder builder;
  std::size_t unreadable = 0;
  for (std::string line; std::getline(lines, line);) {
    // A truncated line, as after a crash of the machine, is not an event.
    const Json event = line.size() > kMaxLineBytes ? Json() : Json::parse(line, nullptr, false);
    if (event.is_object())
      builder.add(event);
    else
      ++unreadable;
  }
  return builder.finish(unreadable);
}

}  // namespace weir::observe
