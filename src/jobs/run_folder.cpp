#include "jobs/run_folder.hpp"

#include <system_error>

#include <fmt/format.h>

#include "base/file_facts.hpp"
#include "base/file_locks.hpp"
#include "base/open_file.hpp"
#include "base/text.hpp"
#include "base/this_process.hpp"
#include "observe/event_log.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxStateBytes = std::size_t{4} << 20;  // of run.json
constexpr std::size_t kMaxLockTextBytes = 4096;               // of the file `lock`, which names its holder

/// Returns the error for a folder that another run holds.
Error held_error(const fs::path& outputs, const fs::path& lock) {
  const auto text = read_bounded_file(lock, kMaxLockTextBytes);
  const auto holder = text && *text ? parse_object(**text) : Result<Json>{Json::object()};
  const Json who = holder ? *holder : Json::object();
  return {Errc::exists, fmt::format("{} is in use by weir, process {} on {} since {}; wait for it or end it",
                                    printable(outputs.native()), count_field(who, "pid"),
                                    printable(text_field(who, "host")), printable(text_field(who, "since")))};
}

/// Returns the folder `.weir` of a run. `path`: that folder itself, the output folder, or the output of a run with one.
fs::path run_folder_of(const fs::path& path) {
  std::error_code ignored;
  fs::path of_output = work_folder_of(path) / kRunFolderName;
  if (fs::is_directory(of_output, ignored)) return of_output;
  // The file name of a path that ends in '/' is empty.
  const fs::path last = path.filename().empty() ? path.parent_path().filename() : path.filename();
  return last == kRunFolderName ? path : path / kRunFolderName;
}

}  // namespace

fs::path work_folder_of(const fs::path& output) {
  return output.parent_path() / ("." + output.filename().native() + kRunFolderName);
}

Result<RunFolder> RunFolder::acquire(const fs::path& outputs) {
  RunFolder run;
  run.folder_ = (outputs.empty() ? fs::path{"."} : outputs) / kRunFolderName;
  std::error_code problem;
  fs::create_directories(run.folder_, problem);
  if (problem)
    return Error{errc_from_errno(problem.value()),
                 fmt::format("cannot create the folder {}: {}", printable(run.folder_.native()), problem.message())};
  const fs::path lock = run.folder_ / "lock";
  auto opened = open_lock_file(lock);
  if (!opened) return opened.error();
  run.lock_ = *std::move(opened);
  const auto locked = try_lock(run.lock_.get(), kWholeFile, LockKind::write);
  if (!locked) return locked.error();
  if (!*locked) return held_error(outputs, lock);
  const std::string owner =
      dump({{"pid", process_id()}, {"host", host_name()}, {"since", observe::timestamp_now()}}) + '\n';
  // An error is ignored: the text only names the holder in messages.
  (void)replace_file_text(run.lock_.get(), owner, lock);
  return run;
}

void RunFolder::write_state(const Json& state) const {
  (void)write_file(folder_ / "run.json", dump(state) + '\n', /*overwrite=*/true, Sync::no);
}

Result<RunState> read_run_state(const fs::path& folder) {
  const fs::path run_folder = run_folder_of(folder);
  const auto text = read_bounded_file(run_folder / "run.json", kMaxStateBytes);
  if (!text) return text.error();
  const FileDescriptor lock = open_to_read(run_folder / "lock");
  const auto holder = find_conflicting_lock(lock.get(), kWholeFile, LockKind::read);
  const bool alive = lock && holder && *holder;
  if (!*text) return Error{Errc::io, fmt::format("{}: no run of weir is known here", printable(folder.native()))};
  auto state = parse_object(**text);
  if (!state) return Error{Errc::corrupt, fmt::format("{}: is damaged", printable((run_folder / "run.json").native()))};
  return RunState{*std::move(state), alive};
}

Result<fs::path> find_events_file(const fs::path& path) {
  std::error_code problem;
  const fs::path events = run_folder_of(path) / "events.jsonl";
  if (fs::is_regular_file(events, problem)) return events;
  if (fs::is_regular_file(path, problem)) return path;
  return Error{Errc::io, fmt::format("{}: no run of weir is known here", printable(path.native()))};
}

}  // namespace weir::jobs
