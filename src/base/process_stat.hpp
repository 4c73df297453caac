#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include <sys/types.h>

namespace weir {

/// What /proc/PID/stat says of a process.
/// Source  proc(5): fields 3, 4 and 22
struct ProcessStat {
  char state = '\0';              ///< 'R', 'S', 'D', 'Z', ...
  pid_t parent = 0;               ///< its parent's number
  std::uint64_t start_ticks = 0;  ///< when it started, since boot
};

/// From the text of that file. The name in parentheses may hold anything. Empty if it is damaged.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Empty if there is no such process. `root` is where proc lies.
std::optional<ProcessStat> read_process_stat(pid_t pid, const std::filesystem::path& root = "/");

}  // namespace weir
