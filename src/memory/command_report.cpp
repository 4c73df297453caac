#include "memory/command_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "memory/growth.hpp"
#include "memory/level_series.hpp"

namespace weir::memory {
namespace {

/// Returns how much larger `after` is than `before`; 0 if it is smaller or one of them is unknown.
Bytes increase(const std::optional<Bytes>& before, const std::optional<Bytes>& after) {
  return before && after ? *after - *before : Bytes{};
}

/// Returns the growth within a run, without the first third of the levels, in which a command usually still starts: the
/// steady slope of the other levels times their number; 0 if they do not rise steadily.
double steady_growth_of(const std::vector<double>& levels) {
  const std::span all{levels};
  const auto levels_after_start = all.subspan(levels.size() / 3);
  return steady_slope(levels_after_start) * static_cast<double>(levels_after_start.size());
}

std::string device_peak_text(const RunMeasurements& run) {
  if (!run.device_before) return {};
  if (run.device_levels.empty()) return ", not sampled on the device: the command ended too soon";
  return fmt::format(", {} on the device", to_text(run.device_peak));
}

// Each of these functions adds what it finds to the lists of `report`.

/// Adds one line per run, and how many runs failed.
void report_runs(const std::vector<RunMeasurements>& runs, CommandReport& report) {
  std::size_t failed = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunMeasurements& run = runs[i];
    if (run.status != 0) ++failed;
    report.run_results.push_back(fmt::format("run {}: status {}, {:.1f} s, peak {} in memory{}", i + 1, run.status,
                                             run.seconds, to_text(run.resident_peak), device_peak_text(run)));
  }
  if (failed == 0) {
    report.strengths.push_back(fmt::format("all {} runs ended with status 0", runs.size()));
    return;
  }
  report.weaknesses.push_back(fmt::format("{} of {} runs failed", failed, runs.size()));
  report.recommendations.emplace_back("fix the failure first: the measurements of a failed run are not reliable");
}

/// Compares the device memory in use before the first run and after the last.
void check_device(const std::vector<RunMeasurements>& runs, Bytes limit, CommandReport& report) {
  const auto& before_first_run = runs.front().device_before;
  const auto unmeasured =
      std::find_if(runs.begin(), runs.end(), [](const RunMeasurements& run) { return !run.unmeasured_reason.empty(); });
  if (unmeasured != runs.end()) {
    report.weaknesses.push_back("it is not known what stays on the device: " + unmeasured->unmeasured_reason);
    report.recommendations.emplace_back("look at 'weir doctor' and 'dmesg', and measure again when the driver answers");
    return;
  }
  if (!before_first_run) {
    report.analysis.emplace_back("device memory was not measured: no device of the policy reports how much is in use");
    return;
  }
  const Bytes held = increase(before_first_run, runs.back().device_after);
  report.analysis.push_back(fmt::format("device: {} in use before the first run, {} after the last",
                                        to_text(*before_first_run),
                                        to_text(runs.back().device_after.value_or(Bytes{}))));
  if (held <= limit) {
    report.strengths.push_back(fmt::format("device memory is freed: {} more in use at the end", to_text(held)));
    return;
  }
  report.leaked = true;
  report.weaknesses.push_back(
      fmt::format("{} on the device outlive the command (limit {})", to_text(held), to_text(limit)));
  report.recommendations.emplace_back(
      "find the process that holds it: 'weir devices --json' lists the processes on each device");
}

/// Checks whether the memory of some run rises steadily by more than `limit`.
void check_steady_growth(const std::vector<RunMeasurements>& runs, Bytes limit, CommandReport& report) {
  double host = 0;
  double device = 0;
  for (const RunMeasurements& run : runs) {
    host = std::max(host, steady_growth_of(run.resident_levels));
    device = std::max(device, steady_growth_of(run.device_levels));
  }
  for (const auto& [bytes, where] : {std::pair{host, "memory"}, std::pair{device, "device memory"}}) {
    if (bytes <= static_cast<double>(limit.count())) continue;
    report.leaked = true;
    report.weaknesses.push_back(fmt::format("{} rises steadily within a run, by {} after its start", where,
                                            to_text(Bytes{static_cast<std::uint64_t>(bytes)})));
    report.recommendations.emplace_back(
        "put weir.gpu_context around the steps of the command to find the one whose memory grows");
  }
}

/// Adds the first run that worked on another device than the assigned one.
void check_placement(const std::vector<RunMeasurements>& runs, CommandReport& report) {
  for (const RunMeasurements& run : runs) {
    if (run.wrong_device.empty()) continue;
    report.weaknesses.push_back("placement refuted: " + run.wrong_device);
    report.recommendations.emplace_back(
        "do not change CUDA_VISIBLE_DEVICES and the other device masks, which weir sets for the command");
    return;
  }
}

/// Checks for processes and files in /dev/shm that outlived the command.
void check_leftovers(const std::vector<RunMeasurements>& runs, CommandReport& report) {
  std::size_t processes = 0;
  std::vector<std::string> files;
  for (const RunMeasurements& run : runs) {
    processes += run.leftover_processes;
    files.insert(files.end(), run.shared_files.begin(), run.shared_files.end());
  }
  if (processes > 0) {
    report.leaked = true;
    report.weaknesses.push_back(processes == 1
                                    ? "1 process outlived the command and was ended"
                                    : fmt::format("{} processes outlived the command and were ended", processes));
    report.recommendations.emplace_back("let the command wait for the processes that it starts");
  } else {
    report.strengths.emplace_back("no process outlives the command");
  }
  if (!files.empty()) {
    report.weaknesses.push_back(fmt::format("{} new files in /dev/shm, the first is {}", files.size(), files.front()));
    report.recommendations.emplace_back(
        "unlink shared memory: it occupies main memory until the machine is switched off");
  }
}

/// Compares the peak memory of the runs.
void check_peaks(const std::vector<RunMeasurements>& runs, Bytes limit, CommandReport& report) {
  const auto [least, most] = std::minmax_element(
      runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.resident_peak < b.resident_peak; });
  report.analysis.push_back(fmt::format("peak memory of all its processes: {} to {} over {} runs",
                                        to_text(least->resident_peak), to_text(most->resident_peak), runs.size()));
  if (most->resident_peak - least->resident_peak > limit)
    report.weaknesses.push_back(
        fmt::format("peaks differ by {} between runs", to_text(most->resident_peak - least->resident_peak)));
  else
    report.strengths.emplace_back("every run needs the same memory");
}

/// Appends a section of the Markdown document.
void append(std::string& text, std::string_view title, const std::vector<std::string>& lines) {
  text += fmt::format("\n## {}\n\n", title);
  for (const std::string& line : lines) text += fmt::format("- {}\n", line);
  if (lines.empty()) text += "- none\n";
}

std::string_view leak_text(const CommandReport& report) {
  return report.leaked                          ? "leaked"
         : report.approval == Approval::unknown ? "not known whether it leaks"
                                                : "no leak found";
}
std::string device_text(const ReportOrigin& origin) { return origin.device.empty() ? "no device" : origin.device; }
std::string device_uuid_text(const ReportOrigin& origin) {
  return origin.device_uuid.empty() ? "none" : origin.device_uuid;
}

}  // namespace

std::string_view name_of(Approval approval) {
  return approval == Approval::approved       ? "approved"
         : approval == Approval::with_remarks ? "approved with remarks"
         : approval == Approval::unknown      ? "unknown"
                                              : "rejected";
}

CommandReport evaluate_command(const std::vector<RunMeasurements>& runs, Bytes limit) {
  CommandReport report;
  if (runs.empty()) return report;
  report_runs(runs, report);
  check_peaks(runs, limit, report);
  check_device(runs, limit, report);
  check_steady_growth(runs, limit, report);
  check_leftovers(runs, report);
  check_placement(runs, report);
  const bool failed = std::any_of(runs.begin(), runs.end(), [](const RunMeasurements& run) {
    return run.status != 0 || !run.wrong_device.empty();
  });
  const bool unmeasured =
      std::any_of(runs.begin(), runs.end(), [](const RunMeasurements& run) { return !run.unmeasured_reason.empty(); });
  report.approval = report.leaked || failed     ? Approval::rejected
                    : unmeasured                ? Approval::unknown
                    : report.weaknesses.empty() ? Approval::approved
                                                : Approval::with_remarks;
  return report;
}

std::string to_markdown(const ReportOrigin& origin, const CommandReport& report) {
  std::string text = fmt::format("# Memory report\n\nCommand: `{}`\n", origin.command);
  append(text, "Analysis", report.analysis);
  append(text, "Strong points", report.strengths);
  append(text, "Weak points", report.weaknesses);
  append(text, "Recommendations", report.recommendations);
  append(text, "Functional results", report.run_results);
  return text + fmt::format("\n## Verdict\n\n{}; {}\n\n- device: {}\n- UUID: {}\n- limit: {}\n- weir {}, {}\n",
                            name_of(report.approval), leak_text(report), device_text(origin), device_uuid_text(origin),
                            to_text(origin.limit), origin.version, origin.date);
}

std::string to_plain(const ReportOrigin& origin, const CommandReport& report) {
  std::string text;
  for (const auto* lines : {&report.run_results, &report.analysis, &report.weaknesses, &report.recommendations})
    for (const std::string& line : *lines) text += line + '\n';
  return text + fmt::format("verdict: {}; {}\ndevice: {}, UUID {}; limit {}; weir {}, {}\n", name_of(report.approval),
                            leak_text(report), device_text(origin), device_uuid_text(origin), to_text(origin.limit),
                            origin.version, origin.date);
}

}  // namespace weir::memory
