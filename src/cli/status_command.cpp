// `weir status`: prints the progress or the result of the run in a folder.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "jobs/run_folder.hpp"
#include "observe/progress.hpp"

namespace weir::cli {
namespace {

/// Returns the state of the run for the first line: "running", why it is idle, or how the run ended.
std::string state_text(const jobs::RunState& run) {
  if (run.alive) {
    // Earlier versions of weir called the key pause_reason.
    const char* const key = run.state.contains("idle_reason") ? "idle_reason" : "pause_reason";
    const std::string idle_reason = jobs::text_field(run.state, key);
    return idle_reason.empty() ? "running" : idle_reason;
  }
  if (!jobs::bool_field(run.state, "over")) return "dead: the same command resumes it";
  return jobs::bool_field(run.state, "interrupted") ? "interrupted: the same command resumes it" : "over";
}

/// Returns the stages of the work as parts of the time in which the device had items: ", encode 71 %, network 24 %".
std::string stages_text(const jobs::Json& device) {
  const double busy_s = jobs::number_field(device, "busy_s");
  std::vector<std::pair<double, std::string>> stages;
  const jobs::Json seconds = jobs::object_field(device, "stage_seconds");
  for (const auto& [stage, spent] : seconds.items()) {
    if (spent.is_number() && busy_s > 0) stages.emplace_back(spent.get<double>() / busy_s, stage);
  }
  std::sort(stages.rbegin(), stages.rend());  // the longest first
  std::string text;
  for (const auto& [fraction, stage] : stages) text += fmt::format(", {} {:.0f} %", printable(stage), 100 * fraction);
  return text;
}

/// `unit`: unit of the work.
std::string device_line(const jobs::Json& device, const std::string& unit) {
  const std::string item = jobs::text_field(device, "item");
  std::string activity = jobs::bool_field(device, "lost") ? "not used any more" : "no item";
  if (!item.empty())
    activity = fmt::format("{} {:.0f} %", one_line(item), 100 * jobs::number_field(device, "fraction"));
  if (const double speed = jobs::number_field(device, "speed"); !item.empty() && speed > 0)
    activity += fmt::format(", {:.2f} {}/s", speed, printable(unit));
  return fmt::format("  {:<12} {}; {} items done, busy {}{}\n", printable(jobs::text_field(device, "name")), activity,
                     jobs::count_field(device, "items"),
                     observe::format_duration(observe::Seconds{jobs::number_field(device, "busy_s")}),
                     stages_text(device));
}

/// Returns a line about an item that waits for several others, such as a film for its segments; empty for other items.
std::string waiting_line(const jobs::Json& waiting) {
  const auto count = jobs::count_field(waiting, "count");
  if (count < 2) return {};
  const std::string kind = jobs::text_field(waiting, "kind");
  return fmt::format("  {:<12} {} of {} {} done\n", one_line(jobs::text_field(waiting, "item")),
                     jobs::count_field(waiting, "finished"), count, kind == "film_segment" ? "segments" : "parts");
}

std::string status_text(const jobs::RunState& run) {
  const jobs::Json& state = run.state;
  std::string text = fmt::format("{}, process {}, {}\n", state_text(run), jobs::count_field(state, "pid"),
                                 printable(jobs::text_field(state, "updated")));
  text += fmt::format("  items        {} in all: {} done, {} done before, {} failed", jobs::count_field(state, "items"),
                      jobs::count_field(state, "done"), jobs::count_field(state, "skipped"),
                      jobs::count_field(state, "failed"));
  if (const auto damaged = jobs::count_field(state, "damaged"); damaged > 0)
    text += fmt::format(", {} from damaged files", damaged);
  text += '\n';
  text += fmt::format("  work         {:.1f} {} in {}", jobs::number_field(state, "amount"),
                      printable(jobs::text_field(state, "unit")),
                      observe::format_duration(observe::Seconds{jobs::number_field(state, "seconds")}));
  if (run.alive && state.contains("remaining_s"))
    text +=
        fmt::format(", {} left", observe::format_duration(observe::Seconds{jobs::number_field(state, "remaining_s")}));
  text += '\n';
  for (const jobs::Json& device : state.value("devices", jobs::Json::array()))
    text += device_line(device, jobs::text_field(state, "unit"));
  for (const jobs::Json& waiting : state.value("waiting", jobs::Json::array())) text += waiting_line(waiting);
  for (const jobs::Json& failure : state.value("failures", jobs::Json::array())) {
    if (failure.is_string()) text += fmt::format("  failed       {}\n", one_line(failure.get<std::string>()));
  }
  for (const jobs::Json& damage : state.value("damages", jobs::Json::array())) {
    if (damage.is_string()) text += fmt::format("  damaged      {}\n", one_line(damage.get<std::string>()));
  }
  return text;
}

ExitStatus exit_status(const jobs::RunState& run) {
  if (run.alive) return ExitStatus::done;
  if (!jobs::bool_field(run.state, "over") || jobs::bool_field(run.state, "interrupted"))
    return ExitStatus::interrupted;
  const bool all_good = jobs::count_field(run.state, "failed") == 0 && jobs::count_field(run.state, "damaged") == 0;
  return all_good ? ExitStatus::done : ExitStatus::some_failed;
}

}  // namespace

ExitResult run_status(const Invocation& invocation) {
  const Arguments& args = invocation.args();
  if (args.operands.size() != 1) return {ExitStatus::wrong_usage, "one folder is expected; see 'weir help status'"};
  auto run = jobs::read_run_state(args.operands.front());
  if (!run) return {ExitStatus::nothing_started, run.error().what};
  run->state["alive"] = run->alive;
  ExitResult result = print(args.json ? jobs::dump(run->state) + '\n' : status_text(*run));
  if (result.status == ExitStatus::done) result.status = exit_status(*run);
  return result;
}

}  // namespace weir::cli
