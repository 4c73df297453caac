#pragma once

#include <filesystem>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// Makes this process the new parent of descendants whose parent ends (PR_SET_CHILD_SUBREAPER), instead of init. They
/// stay descendants even if they become daemons: change their session, process group and environment.
void adopt_orphans();

/// Returns the children of a process, including zombies: from /proc/PID/task/TID/children, or, if the kernel has no
/// such file (CONFIG_PROC_CHILDREN), from the parent ids of all processes. `root`: the folder that contains proc.
std::vector<pid_t> children_of(pid_t process, const std::filesystem::path& root = "/");

/// Returns true if this process has children, living or zombies. After adopt_orphans(), false means that it has no
/// living descendants at all. Makes one system call.
bool has_children();

/// Returns all living descendants of a process. Searches at most four times, until a search finds no new process, since
/// a parent may end during a search. May miss the newest processes if a descendant starts new ones without pause.
std::vector<pid_t> find_descendants(pid_t process, const std::filesystem::path& root = "/");

/// Sends a signal once to each living descendant of a process. Searches again until it finds no new process, at most
/// ten times.
void signal_descendants(pid_t process, int signal);

}  // namespace weir::device
