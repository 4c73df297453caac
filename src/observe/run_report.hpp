#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <string>
#include <vector>

namespace weir::observe {

/// A summary of one run, read from an event log. Times are in seconds since the start of the run. Lines that are not
/// events (no JSON object, or longer than 1 MiB) are counted and skipped.
struct RunReport {
  /// One attempt at an item on a device, from its start to its result.
  struct ItemSpan {
    std::string device, item;  ///< their names in the log
    /// "done", "failed", "interrupted", "retry", "unfinished"; "skipped": the item needed no work in this run (listed
    /// only if its input is damaged)
    std::string result;
    std::string variant;  ///< variant of the task that was tried
    std::string error;    ///< why the item is not done, or why it was skipped; may be empty
    std::string damaged;  ///< what is damaged in the input; empty if nothing is
    double start_s = 0, end_s = 0;
  };
  /// An item for which another one waits, such as a segment of a film.
  struct Part {
    std::string item;    ///< its name in the log
    std::string result;  ///< that of its last ItemSpan; also "skipped": it was done before this run
    std::string device;  ///< of the last attempt; empty if it was skipped
    std::string error;   ///< why it is not done; may be empty
    int attempts = 0;
    double seconds = 0, amount = 0;  ///< of the last attempt; the amount is in `unit`
    double peak_bytes = 0;           ///< largest resident memory of its worker; 0 if it is not known
  };
  /// The parts of an item that are made at the same time.
  struct Stage {
    std::size_t count = 0;              ///< number of parts
    std::map<std::size_t, Part> parts;  ///< those in the log, by their position in the stage, from 0
  };
  /// What a device did.
  struct DeviceWork {
    double busy_s = 0;                            ///< duration of its attempts
    std::map<std::string, double> stage_seconds;  ///< time by stage of the work, such as "decode"; stages may overlap
  };
  /// Resident memory of a process at one time.
  struct MemorySample {
    double time_s = 0, bytes = 0;
  };
  /// A warning or error of the log.
  struct Message {
    double time_s = 0;
    std::string level, event;
    std::string text;  ///< the other fields of the event, as JSON
  };
  std::string start_time;  ///< timestamp of the run's first event
  double duration_s = 0;   ///< time of the run's last event
  /// True if the log contains the run's end; false if the run was killed or still runs.
  bool completed = false;
  std::map<std::string, double> totals;                     ///< numeric fields of the run_end event, by name
  std::vector<ItemSpan> spans;                              ///< in the order of their ends; unfinished ones last
  std::map<std::string, std::vector<MemorySample>> memory;  ///< samples of each device's worker and of "coordinator"
  std::map<std::string, std::map<int, Stage>> stages;       ///< by the item that waits and the number of the stage
  std::map<std::string, DeviceWork> devices;                ///< those that had items, by name
  std::string unit;                                         ///< unit of amounts, such as "frames"; may be empty
  std::vector<Message> messages;                            ///< the first thousand warnings and errors
  std::size_t unreadable_lines = 0;                         ///< number of lines that are no events, in the whole log
};

/// Reads an event log and returns the report of its last run (a run begins with a run_start event).
RunReport read_run_report(std::istream& lines);

/// The beginning of every document of run_report_html().
inline constexpr std::string_view kRunReportStart =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>weir: a run</title>";

/// Returns a self-contained HTML document: totals, a timeline of devices and items, what the devices spent their time
/// on, the parts of items in their order, memory curves, failed items, warnings.
std::string run_report_html(const RunReport& report);

/// Parses a timestamp such as "2026-11-21T14:30:00.123Z" and returns the seconds since 1970; 0 if the text is not a
/// timestamp.
double parse_timestamp(const std::string& timestamp);

}  // namespace weir::observe
