#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "jobs/task.hpp"
#include "tasks/command_template.hpp"

namespace weir::tasks {

inline constexpr char kCommandKind[] = "command";  ///< name of the task kind, also used in record names

/// Settings of a run that runs one command per item. The coordinator of the run sends them to its worker processes as
/// JSON.
struct CommandRequest {
  std::vector<std::string> arguments;  ///< arguments of the CommandTemplate
  /// Rules for each command. Its arguments, placeholders, file descriptors and first_signal are set per item.
  GuardedCommand guard;
  /// Largest number of commands that hold a device or wait for one at the same time, counted over all devices. If
  /// guard.lease_before_start is false, weir does not enforce it: the commands receive it in WEIR_SLOTS.
  int gpu_jobs = 1;
  int retries = 0;               ///< largest number of retries for one item, each only if may_retry() returns true
  std::filesystem::path folder;  ///< output folder of the run: outputs, command logs and the folder .weir
  int quarantine_fd = -1;        ///< file descriptor of the Quarantine; -1: none
};

/// Converts the request to JSON for the workers. Leaves out the fields of `guard` that are set per item, and in
/// guard.device_request the program, need.free and the exclusions.
jobs::Json to_json(const CommandRequest& request);
/// Reads the request from its JSON. Missing fields become empty, 0 or false; a missing quarantine_fd becomes -1, and
/// missing variants become a single Variant{}.
CommandRequest parse_command_request(const jobs::Json& json);

/// Makes the jobs::Item for `item`, the item's text. Its first output is the log that receives the command's output, at
/// request.folder / relative_output_path(item) with ".log" appended. The files that {out} stands for follow. Its inputs
/// are the existing files whose paths are the item's text or one of request.arguments, so that a change of one of these
/// files makes the item run again.
jobs::Item make_command_item(const std::string& item, const CommandRequest& request,
                             const CommandTemplate& command_template);

/// Returns the item's text as the user gave it.
std::string item_text(const jobs::Item& item);

/// Returns the path to which the log of a failed command is renamed. The item's first output is the log of a command
/// that does not fail; the returned path is in the same folder.
std::filesystem::path failed_log_path(const jobs::Item& item);

/// Makes the task that runs the commands. Errors: invalid_argument for an invalid template.
Result<std::unique_ptr<jobs::Task>> make_command_task(CommandRequest request);

}  // namespace weir::tasks
