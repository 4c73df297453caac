#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/child_process.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

// The guardian is a process between this one and a command (CommandProcess). It is a fork of this process, starts the
// command, and adopts every process that the command leaves. It ends all these processes on request, when the command
// has ended, or when this process dies, and keeps the lease files open until then. It calls no driver, so a hanging
// driver cannot block it. The guardian and this process exchange messages over a socket.

/// A message from the guardian.
struct GuardianReport {
  enum class Kind { started, failed, ended } kind = Kind::failed;
  pid_t pid = 0;               ///< with `started`: process id of the command
  std::optional<Error> error;  ///< with `failed`: why the command cannot be started; empty: no valid report came
  ChildResult result;          ///< with `ended`: exit status and peak memory of the command
  std::vector<EndedProcess> leftover_processes;  ///< with `ended`: processes that outlived the command
};

/// The largest size of a report in bytes.
inline constexpr std::size_t kMaxReportBytes = 64U << 10U;

/// A request to the guardian: to send a signal, or to end all processes.
struct GuardianRequest {
  enum class Kind { signal, end } kind = Kind::end;
  int signal = 0;  ///< with Kind::signal: number of the signal for the command and all its descendants
};

// to_message() returns the text of a message. The other two functions parse a text; they return an empty value if it is
// not valid JSON of a message. parse_request() reads any JSON object whose kind is not "signal" as Kind::end.
std::string to_message(const GuardianReport& report);
std::string to_message(const GuardianRequest& request);
std::optional<GuardianReport> parse_report(std::string_view message);
std::optional<GuardianRequest> parse_request(std::string_view message);

/// Runs the guardian in the forked child: starts the command, handles requests on the socket `channel_fd`, and returns
/// when no process of the command is left, or when the rest cannot be ended. Returns the exit status of the guardian,
/// always 0.
int run_guardian(const ChildOptions& command, int channel_fd);

}  // namespace weir::device
