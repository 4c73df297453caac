#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// Processes that were started under one mark, a variable of their environment that children inherit: also those that
/// left their parent and their process group. A process that clears its environment is not found.
/// This process is left out; `root` is where proc lies.
std::vector<pid_t> find_marked(std::string_view variable, std::string_view value,
                               const std::filesystem::path& root = "/");

/// Calls `visit` with each living process that has the variable, and with its value. This process is left out.
void visit_processes_with_variable(std::string_view variable, const std::function<void(pid_t, std::string_view)>& visit,
                                   const std::filesystem::path& root = "/");

/// A process that was ended, and how.
struct EndedProcess {
  enum class EndState {
    terminated,
    killed,
    alive
  };  ///< SIGTERM was enough; SIGKILL was; not even that: a driver holds it
  pid_t pid = 0;
  std::string command;  ///< its words
  EndState end_state = EndState::terminated;
};

/// Ends what `find` finds, and what they start meanwhile: SIGTERM, SIGKILL for those that live five seconds later, and after
/// five more it gives up. A process is held by a pidfd before it is found a second time, and signalled through that:
/// never another one that got its number. Those that were there.
/// Source  pidfd_open(2), pidfd_send_signal(2)
std::vector<EndedProcess> end_processes(const std::function<std::vector<pid_t>()>& find);

/// "pid 12 'sleep 1000', pid 13 'python x' (killed: it did not end when asked)"; of many five,
/// those that did not end when asked first.
std::string describe(const std::vector<EndedProcess>& ended);

/// A dead process that its parent has not waited for, or one that is gone.
bool is_gone_or_zombie(pid_t pid, const std::filesystem::path& root = "/");

/// A value that no other run has.
std::string new_mark();

}  // namespace weir::device
