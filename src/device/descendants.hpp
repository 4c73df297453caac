#pragma once

#include <filesystem>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// From now on a process below this one whose parent ends becomes a child of this one (PR_SET_CHILD_SUBREAPER), instead of
/// escaping to init: a daemon cannot leave, whatever it does to its session, its group and its environment.
void adopt_orphans();

/// The children of a process, dead ones that nobody has waited for among them: from /proc/PID/task/TID/children, or, where the
/// kernel has no such file (CONFIG_PROC_CHILDREN), from the parents that all processes name. `root` is where proc lies.
std::vector<pid_t> children_of(pid_t process, const std::filesystem::path& root = "/");

/// Whether this process has children, living ones or dead ones that nobody has waited for. With adopt_orphans() before they were
/// started, no children means: nothing lives below this process. One system call.
bool has_children();

/// All that live below a process. A process that moves up while we look, as its parent has ended, is found in a second look;
/// of what starts others without pause, the newest may be missed.
std::vector<pid_t> find_descendants(pid_t process, const std::filesystem::path& root = "/");

/// A signal that stops, continues or ends, to all that live below a process. What is started while we look is found in the
/// next round; a stopped process starts nothing, so the rounds end.
void signal_descendants(pid_t process, int signal);

}  // namespace weir::device
