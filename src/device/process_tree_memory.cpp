#include "device/process_tree_memory.hpp"

#include <algorithm>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

#include "base/process_memory.hpp"
#include "base/small_file.hpp"

namespace weir::device {

namespace fs = std::filesystem;

Bytes total_resident_memory(const std::vector<pid_t>& pids, const fs::path& root) {
  Bytes sum;
  for (const pid_t pid : pids)
    sum +=
        parse_status_field(read_small_file(root / "proc" / std::to_string(pid) / "status"), "VmRSS").value_or(Bytes{});
  return sum;
}

std::vector<std::string> shared_memory_files(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code problem;
  for (fs::directory_iterator at{folder, problem}, end; !problem && at != end; at.increment(problem)) {
    struct stat status {};
    if (::lstat(at->path().c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid())
      files.push_back(at->path().native());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace weir::device
