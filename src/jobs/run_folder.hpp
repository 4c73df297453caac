#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "jobs/json.hpp"

namespace weir::jobs {

inline constexpr char kRunFolderName[] = ".weir";

/// The folder `.weir` beside the outputs of a run: `lock` (held as long as the run lives, whatever ends it), `run.json`
/// (how far it is, rewritten about once a second) and `events.jsonl` (what happened). One run at a time.
class RunFolder {
 public:
  /// `outputs` is made if it is missing. Errors: exists, naming the holder; io, disk_full.
  static Result<RunFolder> acquire(const std::filesystem::path& outputs);

  std::filesystem::path events_path() const { return folder_ / "events.jsonl"; }
  /// Replaces run.json, whole but unsynced: it is only for looking.
  void write_state(const Json& state) const;

 private:
  std::filesystem::path folder_;
  FileDescriptor lock_;
};

/// What is known of the run in a folder, from outside it.
struct RunState {
  Json state;          ///< run.json
  bool alive = false;  ///< its lock is held
};
/// `folder` is the outputs' folder or `.weir` itself. Errors: io when there is no run there; corrupt.
Result<RunState> read_run_state(const std::filesystem::path& folder);

/// The file with the events of a run: `path` itself if it is a file, else events.jsonl in the folder. Errors: io.
Result<std::filesystem::path> find_events_file(const std::filesystem::path& path);

}  // namespace weir::jobs
