#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace weir::memory {

/// What was measured of one run of a command.
struct RunMeasurements {
  int status = 0;
  double seconds = 0;
  Bytes resident_peak;  ///< resident memory of all its processes together, and at least that of the largest
  std::vector<double> resident_levels;               ///< the same, in bytes, a few times a second
  std::optional<Bytes> device_before, device_after;  ///< in use on the device by everybody; empty: not measured
  Bytes device_peak;
  std::vector<double> device_levels;      ///< the same there; none if it ended before anybody looked
  std::size_t leftover_processes = 0;     ///< processes that outlived it
  std::vector<std::string> shared_files;  ///< new in /dev/shm
  std::string unmeasured_reason;          ///< why nobody can say what stays on the devices; empty: they were measured
  std::string wrong_device;               ///< where it worked instead of its device; empty: nowhere that was seen
};

enum class Approval { approved, with_remarks, unknown, rejected };
std::string_view name_of(Approval approval);

/// The verdict on a command, every sentence of it from figures.
struct CommandReport {
  Approval approval = Approval::approved;
  bool leaked = false;
  std::vector<std::string> analysis, strengths, weaknesses, recommendations, run_results;
};

/// A leak is: memory on the device above `limit` after the end that was not there before the first run; processes that
/// outlive the command; or memory that creeps up within a run to more than `limit`. A run with a status other than 0, or that worked
/// on another device, is rejected too. Where it is not known what stays on the device the verdict is unknown. New files in /dev/shm and peaks that differ by more than `limit` are remarks. A pure function.
CommandReport evaluate_command(const std::vector<RunMeasurements>& runs, Bytes limit);

/// What a verdict is of: without these nobody can say later what it is worth.
struct ReportOrigin {
  std::string command;        ///< its words, printable
  std::string device;         ///< "NVIDIA GeForce RTX 3090 at 0000:01:00.0"; empty: no device was measured
  std::string device_uuid;    ///< of the card; empty if it has none
  Bytes limit;                ///< judge_command's
  std::string version, date;  ///< of weir; UTC, ISO 8601
};

std::string to_markdown(const ReportOrigin& origin, const CommandReport& report);
std::string to_plain(const ReportOrigin& origin, const CommandReport& report);

}  // namespace weir::memory
