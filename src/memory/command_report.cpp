#include "memory/command_report.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "memory/growth.hpp"
#include "memory/level_series.hpp"

namespace weir::memory {
namespace {

Bytes above(const std::optional<Bytes>& before, const std::optional<Bytes>& after) {
  return before && after ? *after - *before : Bytes{};
}

/// Growth within a run, once its start is over: the last two thirds of the levels, if they rise steadily.
double creep_of(const std::vector<double>& levels) {
  const std::span all{levels};
  const auto settled = all.subspan(levels.size() / 3);
  return steady_slope(settled) * static_cast<double>(settled.size());
}

std::string device_peak_text(const RunFacts& run) {
  if (!run.device_before) return {};
  if (run.device_levels.empty()) return ", not sampled on the device: it ended too soon";
  return fmt::format(", {} on the device", to_text(run.device_peak));
}

void judge_runs(const std::vector<RunFacts>& runs, CommandReport& report) {
  std::size_t failed = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunFacts& run = runs[i];
    if (run.status != 0) ++failed;
    report.functional.push_back(fmt::format("run {}: status {}, {:.1f} s, peak {} in memory{}", i + 1, run.status,
                                            run.seconds, to_text(run.peak), device_peak_text(run)));
  }
  if (failed == 0) {
    report.strong.push_back(fmt::format("all {} runs ended with status 0", runs.size()));
    return;
  }
  report.weak.push_back(fmt::format("{} of {} runs failed", failed, runs.size()));
  report.recommendations.emplace_back("mend the failure first: memory of a run that failed says little");
}

void judge_device(const std::vector<RunFacts>& runs, Bytes limit, CommandReport& report) {
  const auto& first = runs.front().device_before;
  const auto blind = std::find_if(runs.begin(), runs.end(), [](const RunFacts& run) { return !run.unknown.empty(); });
  if (blind != runs.end()) {
    report.weak.push_back("it is not known what stays on the device: " + blind->unknown);
    report.recommendations.emplace_back("look at 'weir doctor' and 'dmesg', and measure again when the driver answers");
    return;
  }
  if (!first) {
    report.analysis.emplace_back("device memory was not measured: no device of the policy gives its number");
    return;
  }
  const Bytes held = above(first, runs.back().device_after);
  report.analysis.push_back(fmt::format("device: {} in use before the first run, {} after the last", to_text(*first),
                                        to_text(runs.back().device_after.value_or(Bytes{}))));
  if (held <= limit) {
    report.strong.push_back(fmt::format("device memory comes back: {} more at the end", to_text(held)));
    return;
  }
  report.leaked = true;
  report.weak.push_back(fmt::format("{} on the device outlive the command (limit {})", to_text(held), to_text(limit)));
  report.recommendations.emplace_back("find who holds it: 'weir devices --json' lists the processes on each device");
}

void judge_creep(const std::vector<RunFacts>& runs, Bytes limit, CommandReport& report) {
  double host = 0;
  double device = 0;
  for (const RunFacts& run : runs) {
    host = std::max(host, creep_of(run.levels));
    device = std::max(device, creep_of(run.device_levels));
  }
  for (const auto& [bytes, where] : {std::pair{host, "memory"}, std::pair{device, "device memory"}}) {
    if (bytes <= static_cast<double>(limit.count())) continue;
    report.leaked = true;
    report.weak.push_back(fmt::format("{} rises steadily within a run, by {} after its start", where,
                                      to_text(Bytes{static_cast<std::uint64_t>(bytes)})));
    report.recommendations.emplace_back("put weir.gpu_context around its steps to find the one that grows");
  }
}

void judge_placement(const std::vector<RunFacts>& runs, CommandReport& report) {
  for (const RunFacts& run : runs) {
    if (run.refuted.empty()) continue;
    report.weak.push_back("placement refuted: " + run.refuted);
    report.recommendations.emplace_back("leave CUDA_VISIBLE_DEVICES and the other masks as they are set for it");
    return;
  }
}

void judge_leftovers(const std::vector<RunFacts>& runs, CommandReport& report) {
  std::size_t processes = 0;
  std::vector<std::string> files;
  for (const RunFacts& run : runs) {
    processes += run.left_behind;
    files.insert(files.end(), run.shared_files.begin(), run.shared_files.end());
  }
  if (processes > 0) {
    report.leaked = true;
    report.weak.push_back(processes == 1 ? "1 process outlived the command and was ended"
                                         : fmt::format("{} processes outlived the command and were ended", processes));
    report.recommendations.emplace_back("wait for the processes that it starts");
  } else {
    report.strong.emplace_back("no process outlives it");
  }
  if (!files.empty()) {
    report.weak.push_back(fmt::format("{} new files in /dev/shm, the first is {}", files.size(), files.front()));
    report.recommendations.emplace_back("unlink shared memory: it is RAM until the machine is switched off");
  }
}

void judge_peaks(const std::vector<RunFacts>& runs, Bytes limit, CommandReport& report) {
  const auto [least, most] =
      std::minmax_element(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.peak < b.peak; });
  report.analysis.push_back(fmt::format("peak memory of all its processes: {} to {} over {} runs", to_text(least->peak),
                                        to_text(most->peak), runs.size()));
  if (most->peak - least->peak > limit)
    report.weak.push_back(fmt::format("peaks differ by {} between runs", to_text(most->peak - least->peak)));
  else
    report.strong.emplace_back("every run needs the same memory");
}

void append(std::string& text, std::string_view title, const std::vector<std::string>& lines) {
  text += fmt::format("\n## {}\n\n", title);
  for (const std::string& line : lines) text += fmt::format("- {}\n", line);
  if (lines.empty()) text += "- none\n";
}

std::string_view found(const CommandReport& report) {
  return report.leaked                          ? "leaked"
         : report.approval == Approval::unknown ? "not known whether it leaks"
                                                : "no leak found";
}
std::string card_of(const ReportOrigin& origin) { return origin.card.empty() ? "no device" : origin.card; }
std::string uuid_of(const ReportOrigin& origin) { return origin.uuid.empty() ? "none" : origin.uuid; }

}  // namespace

std::string_view name_of(Approval approval) {
  return approval == Approval::approved       ? "approved"
         : approval == Approval::with_remarks ? "approved with remarks"
         : approval == Approval::unknown      ? "unknown"
                                              : "rejected";
}

CommandReport judge_command(const std::vector<RunFacts>& runs, Bytes limit) {
  CommandReport report;
  if (runs.empty()) return report;
  judge_runs(runs, report);
  judge_peaks(runs, limit, report);
  judge_device(runs, limit, report);
  judge_creep(runs, limit, report);
  judge_leftovers(runs, report);
  judge_placement(runs, report);
  const bool failed = std::any_of(runs.begin(), runs.end(),
                                  [](const RunFacts& run) { return run.status != 0 || !run.refuted.empty(); });
  const bool blind = std::any_of(runs.begin(), runs.end(), [](const RunFacts& run) { return !run.unknown.empty(); });
  report.approval = report.leaked || failed ? Approval::rejected
                    : blind                 ? Approval::unknown
                    : report.weak.empty()   ? Approval::approved
                                            : Approval::with_remarks;
  return report;
}

std::string to_markdown(const ReportOrigin& origin, const CommandReport& report) {
  std::string text = fmt::format("# Memory report\n\nCommand: `{}`\n", origin.command);
  append(text, "Analysis", report.analysis);
  append(text, "Strong points", report.strong);
  append(text, "Weak points", report.weak);
  append(text, "Recommendations", report.recommendations);
  append(text, "Functional results", report.functional);
  return text + fmt::format("\n## Verdict\n\n{}; {}\n\n- card: {}\n- UUID: {}\n- limit: {}\n- weir {}, {}\n",
                            name_of(report.approval), found(report), card_of(origin), uuid_of(origin),
                            to_text(origin.limit), origin.version, origin.date);
}

std::string to_plain(const ReportOrigin& origin, const CommandReport& report) {
  std::string text;
  for (const auto* lines : {&report.functional, &report.analysis, &report.weak, &report.recommendations})
    for (const std::string& line : *lines) text += line + '\n';
  return text + fmt::format("verdict: {}; {}\nof: {}, UUID {}; limit {}; weir {}, {}\n", name_of(report.approval),
                            found(report), card_of(origin), uuid_of(origin), to_text(origin.limit), origin.version,
                            origin.date);
}

}  // namespace weir::memory
