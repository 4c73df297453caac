#pragma once

#include <filesystem>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// From now on a process below this one whose parent ends becomes a child of this one (PR_SET_CHILD_SUBREAPER), instead of
/// escaping to init: a daemon cannot leave, whatever it does to its session, its group and its environment.
void adopt_orphans();

/// The children of a process, dead ones that nobody has waited for among them. Empty where the kernel does not tell
/// (/proc/PID/task/TID/children, CONFIG_PROC_CHILDREN). `root` is where proc lies.
std::vector<pid_t> children_of(pid_t process, const std::filesystem::path& root = "/");

/// All that live below a process, but for `without` and what is below those.
std::vector<pid_t> find_descendants(pid_t process, const std::vector<pid_t>& without,
                                    const std::filesystem::path& root = "/");

}  // namespace weir::device
