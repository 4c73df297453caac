#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/child_process.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

/// The guardian is a process between us and a command: a fork of ours that adopts whatever the command leaves behind, ends
/// all of it when we ask, when the command has ended, or when we die, and holds the lease until then. It calls no driver, so
/// nothing that hangs there keeps it from that. It talks over a socket of whole messages.
///
/// What the guardian reports.
struct GuardianReport {
  enum class Kind { started, failed, ended } kind = Kind::failed;
  pid_t pid = 0;                                 ///< started: the command
  std::optional<Error> error;                    ///< failed: why it cannot be run
  ChildResult result;                            ///< ended
  std::vector<EndedProcess> leftover_processes;  ///< ended: what outlived the command
};

/// What the guardian is asked for.
struct GuardianRequest {
  enum class Kind { signal, end } kind = Kind::end;
  int signal = 0;  ///< to the command and everything that it started
};

std::string to_message(const GuardianReport& report);
std::string to_message(const GuardianRequest& request);
/// Empty if the text is no such message.
std::optional<GuardianReport> parse_report(std::string_view message);
std::optional<GuardianRequest> parse_request(std::string_view message);

/// The guardian's life, in the forked child: starts the command, serves requests on `channel`, and returns when nothing of
/// the command is left.
int run_guardian(const ChildOptions& command, int channel_fd);

}  // namespace weir::device
