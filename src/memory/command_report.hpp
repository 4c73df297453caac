#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace weir::memory {

/// Measurements of one run of a command.
struct RunMeasurements {
  int status = 0;      ///< exit status, or 128 + signal
  double seconds = 0;  ///< duration
  /// largest sum of the resident memory of all processes of the command at one time; at least the peak of its largest
  /// process
  Bytes resident_peak;
  /// sum of the resident memory of all processes of the command, in bytes, sampled a few times per second
  std::vector<double> resident_levels;
  /// memory in use on the device by all processes of the machine, before and after the run; empty: not measured
  std::optional<Bytes> device_before, device_after;
  Bytes device_peak;  ///< largest value of `device_levels`
  /// memory in use on the device over time, in bytes; empty if the command ended before the first sample
  std::vector<double> device_levels;
  std::size_t leftover_processes = 0;     ///< number of processes that outlived the command
  std::vector<std::string> shared_files;  ///< new files in /dev/shm
  /// reason why the memory left in use on the devices after the run could not be measured; empty if it was
  std::string unmeasured_reason;
  /// evidence that the command worked on another device than the assigned one; empty if there is none
  std::string wrong_device;
};

/// Verdict on a command.
enum class Approval {
  approved,
  with_remarks,  ///< no leak and no failure, but CommandReport::weaknesses is not empty
  unknown,       ///< the memory that remains on the devices could not be measured
  rejected       ///< a leak, a failed run or work on another device
};
/// Returns the verdict in words, such as "approved with remarks".
std::string_view name_of(Approval approval);

/// The verdict on a command, with sentences that are all based on measurements.
struct CommandReport {
  Approval approval = Approval::approved;
  /// a leak was found; if the memory on the devices could not be measured, false does not exclude a leak
  bool leaked = false;
  std::vector<std::string> analysis, strengths, weaknesses, recommendations, run_results;
};

/// Returns the verdict on the runs of a command; without runs the command is approved.
/// - Rejected: a leak, a run with a status other than 0, or a run that worked on another device. A leak is any of
///   these: more than `limit` of device memory that is still in use after the last run and was not before the first;
///   processes that outlive the command; memory that rises steadily within a run by more than `limit`.
/// - Otherwise unknown, if the memory that remains on the device is unknown.
/// - Otherwise approved with remarks, if there are new files in /dev/shm or peaks that differ by more than `limit`.
/// A pure function.
CommandReport evaluate_command(const std::vector<RunMeasurements>& runs, Bytes limit);

/// Facts about the runs that are printed with the verdict.
struct ReportOrigin {
  std::string command;  ///< command line in printable form
  /// device, such as "NVIDIA GeForce RTX 3090 at 0000:01:00.0"; empty if no device was measured
  std::string device;
  std::string device_uuid;    ///< UUID of the device; empty if it has none
  Bytes limit;                ///< limit that was passed to evaluate_command()
  std::string version, date;  ///< version of weir; date of the runs in UTC, ISO 8601
};

/// Returns the report as a Markdown document with all sections.
std::string to_markdown(const ReportOrigin& origin, const CommandReport& report);
/// Returns the report as plain lines without headings and without the strengths.
std::string to_plain(const ReportOrigin& origin, const CommandReport& report);

}  // namespace weir::memory
