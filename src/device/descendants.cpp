#include "device/descendants.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <system_error>

#include <sys/prctl.h>

#include "base/system_memory.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

namespace fs = std::filesystem;

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::vector<pid_t> children_of(pid_t process, const fs::path& root) {
  std::vector<pid_t> children;
  std::error_code problem;
  const fs::path threads = root / "proc" / std::to_string(process) / "task";
  for (fs::directory_iterator at{threads, problem}, end; !problem && at != end; at.increment(problem)) {
    std::istringstream list{read_small_file(at->path() / "children")};
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

std::vector<pid_t> find_descendants(pid_t process, const std::vector<pid_t>& without, const fs::path& root) {
  std::vector<pid_t> found;
  std::vector<pid_t> open{process};
  while (!open.empty()) {
    const pid_t parent = open.back();
    open.pop_back();
    for (const pid_t child : children_of(parent, root)) {
      const auto known = [&](const std::vector<pid_t>& list) {
        return std::find(list.begin(), list.end(), child) != list.end();
      };
      if (known(without) || known(found)) continue;  // it may have moved while we read
      open.push_back(child);
      found.push_back(child);
    }
  }
  std::erase_if(found, [&](pid_t pid) { return is_zombie(pid, root); });
  return found;
}

}  // namespace weir::device
