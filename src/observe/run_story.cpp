#include "observe/run_story.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <nlohmann/json.hpp>

namespace weir::observe {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMostRemarks = 1000;
constexpr std::size_t kLongestLine = std::size_t{1} << 20;

std::string text(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_string() ? found->get<std::string>() : std::string{};
}
double number(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_number() ? found->get<double>() : 0;
}

class Teller {
 public:
  void add(const Json& event) {
    const std::string name = text(event, "event");
    const double now = seconds_of(text(event, "time"));
    if (name == "run_start") begin(event, now);
    const double at = now - start_;
    story_.length = std::max(story_.length, at);
    if (name == "item_start") running_[text(event, "item")] = {text(event, "device"), at};
    if (name == "item_done" || name == "item_failed" || name == "item_interrupted") end_item(event, name.substr(5), at);
    if ((name == "item_skip" || name == "item_adopted") && !text(event, "damaged").empty())
      end_item(event, "skipped", at);
    if (name == "item_retry") end_item(event, "retry", at);
    if (name == "memory") add_memory(event, at);
    if (name == "run_end") end_run(event);
    remark(event, name, at);
  }
  RunStory finish(std::size_t unreadable) {
    for (const auto& [item, running] : running_)
      story_.spans.push_back({running.device, item, "unfinished", {}, {}, {}, running.from, story_.length});
    story_.unreadable = unreadable;
    return std::move(story_);
  }

 private:
  struct Running {
    std::string device;
    double from = 0;
  };

  void begin(const Json& event, double now) {
    story_ = {};
    running_.clear();
    start_ = now;
    story_.started = text(event, "time");
  }

  void end_item(const Json& event, const std::string& result, double at) {
    const std::string item = text(event, "item");
    const auto found = running_.find(item);
    const Json error = event.value("error", Json::object());
    std::string why = error.is_object() ? text(error, "what") : std::string{};
    if (why.empty()) why = text(event, "why");
    const Running running = found == running_.end() ? Running{text(event, "device"), at} : found->second;
    if (found != running_.end()) running_.erase(found);
    story_.spans.push_back(
        {running.device, item, result, text(event, "variant"), std::move(why), text(event, "damaged"), running.from, at});
  }

  void add_memory(const Json& event, double at) {
    story_.memory[text(event, "device")].push_back({at, number(event, "rss")});
    if (number(event, "coordinator_rss") > 0)
      story_.memory["coordinator"].push_back({at, number(event, "coordinator_rss")});
  }

  void end_run(const Json& event) {
    story_.ended = true;
    for (const auto& [key, value] : event.items()) {
      if (value.is_number() && key != "pid") story_.totals[key] = value.get<double>();
    }
  }

  void remark(const Json& event, const std::string& name, double at) {
    const std::string level = text(event, "level");
    if ((level != "warning" && level != "error") || story_.remarks.size() >= kMostRemarks) return;
    Json rest = event;
    for (const char* known : {"time", "level", "event", "pid"}) rest.erase(known);
    story_.remarks.push_back({at, level, name, rest.dump(-1, ' ', false, Json::error_handler_t::replace)});
  }

  RunStory story_;
  std::map<std::string, Running> running_;
  double start_ = 0;
};

bool digits(std::string_view text, std::size_t at, std::size_t count, int& value) {
  const char* const first = text.data() + at;
  return std::from_chars(first, first + count, value).ptr == first + count;
}

}  // namespace

double seconds_of(const std::string& timestamp) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int ms = 0;
  if (timestamp.size() < 20 || !digits(timestamp, 0, 4, year) || !digits(timestamp, 5, 2, month) ||
      !digits(timestamp, 8, 2, day) || !digits(timestamp, 11, 2, hour) || !digits(timestamp, 14, 2, minute) ||
      !digits(timestamp, 17, 2, second))
    return 0;
  if (timestamp.size() >= 24) (void)digits(timestamp, 20, 3, ms);
  const std::chrono::sys_days date = std::chrono::year{year} / month / day;
  const auto days = std::chrono::duration_cast<std::chrono::seconds>(date.time_since_epoch());
  return static_cast<double>(days.count()) + hour * 3600 + minute * 60 + second + ms / 1000.0;
}

RunStory read_story(std::istream& lines) {
  Teller teller;
  std::size_t unreadable = 0;
  for (std::string line; std::getline(lines, line);) {
    // A line that is cut off, as by a crash of the machine, is none.
    const Json event = line.size() > kLongestLine ? Json() : Json::parse(line, nullptr, false);
    if (event.is_object())
      teller.add(event);
    else
      ++unreadable;
  }
  return teller.finish(unreadable);
}

}  // namespace weir::observe
