#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// Returns the processes, except this one, that have `variable` with the value `value` in their environment. Children
/// inherit the environment, so this also finds processes that left their parent and their process group, but no
/// processes that cleared their environment. `root`: the folder that contains proc.
std::vector<pid_t> find_marked(std::string_view variable, std::string_view value,
                               const std::filesystem::path& root = "/");

/// Calls `visit` for each living process, except this one, that has the variable in its environment, with its process
/// id and the value of the variable.
void visit_processes_with_variable(std::string_view variable, const std::function<void(pid_t, std::string_view)>& visit,
                                   const std::filesystem::path& root = "/");

/// A process that end_processes() tried to end.
struct EndedProcess {
  enum class EndState {
    terminated,  ///< ended after SIGTERM
    killed,      ///< ended after SIGKILL
    survived     ///< still alive after SIGKILL, for example because a driver blocks it
  };
  pid_t pid = 0;
  std::string command;  ///< program_name() of the process
  EndState end_state = EndState::terminated;
};

/// Ends processes: calls `find` again and again until it returns no process, and sends SIGTERM to each process found,
/// SIGKILL to those that live five seconds after the start of the call. Returns after ten seconds even if processes
/// live. No other process with a reused id gets a signal: a process is signalled through a pidfd (pidfd_open(2)), and
/// only if a call of `find` after opening the pidfd returns the process again. Returns the signalled processes.
std::vector<EndedProcess> end_processes(const std::function<std::vector<pid_t>()>& find);

/// Returns "pid 13 'python x' (killed: it did not end when asked), pid 12 'sleep'": at most five processes, first those
/// that did not end after SIGTERM.
std::string describe(const std::vector<EndedProcess>& ended);

/// Returns true if the process does not exist, or is a zombie: dead, but its parent has not waited for it.
bool is_gone_or_zombie(pid_t pid, const std::filesystem::path& root = "/");

/// Returns a random value of 16 hexadecimal digits for the variable WEIR_MARK of one command.
std::string new_mark();

}  // namespace weir::device
