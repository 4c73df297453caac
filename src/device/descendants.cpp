#include "device/descendants.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/process_stat.hpp"
#include "device/marked_processes.hpp"

namespace weir::device {

namespace fs = std::filesystem;

namespace {

constexpr int kMaxSearchRounds = 4;  // searches of one call of find_descendants()

/// Returns the processes whose parent is `process`, from /proc/PID/stat of all processes.
std::vector<pid_t> children_by_parents(pid_t process, const fs::path& root) {
  std::vector<pid_t> children;
  std::error_code problem;
  for (fs::directory_iterator at{root / "proc", problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    const auto stat = read_process_stat(pid, root);
    if (stat && stat->parent == process) children.push_back(pid);
  }
  return children;
}

/// Searches all descendants of `process` once: the children, their children, and so on.
std::set<pid_t> search_below(pid_t process, const fs::path& root) {
  std::set<pid_t> found;
  for (std::vector<pid_t> unsearched{process}; !unsearched.empty();) {
    const pid_t parent = unsearched.back();
    unsearched.pop_back();
    for (const pid_t child : children_of(parent, root))
      if (found.insert(child).second) unsearched.push_back(child);
  }
  return found;
}

}  // namespace

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::vector<pid_t> children_of(pid_t process, const fs::path& root) {
  std::vector<pid_t> children;
  std::error_code problem;
  bool has_children_file = false;
  const fs::path threads = root / "proc" / std::to_string(process) / "task";
  for (fs::directory_iterator at{threads, problem}, end; !problem && at != end; at.increment(problem)) {
    std::ifstream list{at->path() / "children"};
    has_children_file = has_children_file || list.is_open();
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  if (problem) return children;  // the process has ended
  return has_children_file ? children : children_by_parents(process, root);
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

std::vector<pid_t> find_descendants(pid_t process, const fs::path& root) {
  std::set<pid_t> found = search_below(process, root);
  for (int searches = 1; searches < kMaxSearchRounds; ++searches) {
    const std::size_t before = found.size();
    found.merge(search_below(process, root));
    if (found.size() == before) break;
  }
  std::vector<pid_t> living;
  std::copy_if(found.begin(), found.end(), std::back_inserter(living),
               [&](pid_t pid) { return !is_gone_or_zombie(pid, root); });
  return living;
}

void signal_descendants(pid_t process, int signal) {
  constexpr int kMaxSignalRounds = 10;
  std::set<pid_t> reached;
  for (int round = 0; round < kMaxSignalRounds; ++round) {
    const std::size_t before = reached.size();
    for (const pid_t pid : find_descendants(process))
      if (reached.insert(pid).second) ::kill(pid, signal);
    if (reached.size() == before) return;
  }
}

}  // namespace weir::device
