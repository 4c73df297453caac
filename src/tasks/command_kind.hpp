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
  GuardedCommand guard;  ///< rules for each command; its arguments, placeholders and file descriptors are set per item
  int gpu_jobs = 1;      ///< largest number of commands that hold a device at the same time, counted over all devices
  int retries = 0;       ///< largest number of retries for one item; only if may_retry() allows another attempt
  std::filesystem::path folder;  ///< output folder of the run: outputs, command logs and the folder .weir
  int quarantine_fd = -1;        ///< file descriptor of the Quarantine; -1: none
};

/// Converts the request to JSON for the workers.
jobs::Json to_json(const CommandRequest& request);
/// Reads the request from its JSON. Missing fields become empty, 0 or false; missing variants become a single
/// Variant{}.
CommandRequest parse_command_request(const jobs::Json& json);

/// Makes the jobs::Item for `item`, the item's text. Its first output is the log that receives the command's output, at
/// request.folder / relative_output_path(item) with ".log" appended. The files that {out} stands for follow. Its inputs
/// are the existing files whose paths are the item's text or one of request.arguments, so that a change of one of these
/// files makes the item run again.
jobs::Item make_command_item(const std::string& item, const CommandRequest& request,
                             const CommandTemplate& command_template);

/// Returns the item's text as the user gave it.
std::string item_text(const jobs::Item& item);

/// Returns the path to which the log of a failed command is renamed. It is in the folder of the item's first output,
/// the normal log.
std::filesystem::path failed_log_path(const jobs::Item& item);

/// Makes the task that runs the commands. Errors: invalid_argument for an invalid template.
Result<std::unique_ptr<jobs::Task>> make_command_task(CommandRequest request);

}  // namespace weir::tasks
