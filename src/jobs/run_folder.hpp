#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {

inline constexpr char kRunFolderName[] = ".weir";

/// Returns the hidden folder beside an output, `.NAME.weir`, for what is made on the way to it. A run with this one output
/// uses it as its output folder, so that several runs can write into one folder.
std::filesystem::path work_folder_of(const std::filesystem::path& output);

/// The folder `.weir` in the output folder of a run. Only one run at a time can hold it. Its files:
///   lock          locked during the run; the system unlocks it however the process ends
///   run.json      progress of the run, rewritten about once a second
///   events.jsonl  events of the run
class RunFolder {
 public:
  /// Creates the folder if it is missing, and locks it. `outputs`: the output folder; empty: the current folder.
  /// Errors: exists, naming the holder, if another run holds the folder; io, disk_full.
  static Result<RunFolder> acquire(const std::filesystem::path& outputs);

  std::filesystem::path events_path() const { return folder_ / "events.jsonl"; }
  /// Replaces run.json atomically but without fsync, and ignores errors, because the file only informs the user.
  void write_state(const Json& state) const;

 private:
  std::filesystem::path folder_;
  FileDescriptor lock_;
};

/// The state of the run in a folder, read by another process.
struct RunState {
  Json state;          ///< content of run.json
  bool alive = false;  ///< a process holds the lock, so the run is not over
};
/// Reads the state of a run. `folder`: the output folder or `.weir` itself, or an output that has a work_folder_of(). Errors: io, also if the folder has no run;
/// corrupt.
Result<RunState> read_run_state(const std::filesystem::path& folder);

/// Returns the path of a run's event log: events.jsonl of the run in the work_folder_of() an output; else `path` itself if
/// it is a file; else events.jsonl of the run in the folder `path`. Errors: io if neither exists.
Result<std::filesystem::path> find_events_file(const std::filesystem::path& path);

}  // namespace weir::jobs
