#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "jobs/task.hpp"
#include "tasks/command_template.hpp"

namespace weir::tasks {

inline constexpr char kCommandKind[] = "command";  ///< the kind's name, also in the names of checkpoints

/// What a run of commands was asked for; a value that travels to the workers as JSON.
struct CommandRequest {
  std::vector<std::string> arguments;  ///< of the template
  GuardedCommand guard;                ///< how each is guarded: all but words, names and streams
  int gpu_jobs = 1;                    ///< commands that hold a device at once, over all devices
  int retries = 0;                     ///< of a command that failed, was too slow or found no room
  std::filesystem::path folder;        ///< of the run: outputs, what the commands say, and .weir
  int quarantine_fd = -1;              ///< file of a Quarantine
};

jobs::Json to_json(const CommandRequest& request);
CommandRequest parse_command_request(const jobs::Json& json);

/// One item: its first output is the log of what the command says, PLACE.log, then come the files that {out} names. The
/// item and every word of the template that names a file are its inputs, so that a change of them means new work.
jobs::Item make_command_item(const std::string& item, const CommandRequest& request,
                             const CommandTemplate& command_template);

/// The text of such an item.
std::string item_text(const jobs::Item& item);

/// Where the log of a failed command lies, beside its place.
std::filesystem::path failed_log_path(const jobs::Item& item);

/// Errors: invalid_argument for a template that cannot be used.
Result<std::unique_ptr<jobs::Task>> make_command_task(CommandRequest request);

}  // namespace weir::tasks
