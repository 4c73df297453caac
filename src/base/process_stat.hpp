#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include <sys/types.h>

namespace weir {

/// The fields of /proc/PID/stat that weir uses.
/// Source  proc(5): fields 3, 4 and 22
struct ProcessStat {
  char state = '\0';              ///< 'R' (running), 'S' (sleeping), 'Z' (zombie) or another letter of proc(5)
  pid_t parent = 0;               ///< process id of the parent
  std::uint64_t start_ticks = 0;  ///< start time in clock ticks since boot
};

/// Parses the text of /proc/PID/stat. The process name in it is in parentheses and may contain any characters. Returns
/// an empty optional if the text is damaged.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

/// Reads the fields of a process; empty if there is no such process. `root` is the folder that contains `proc`; tests
/// supply their own.
std::optional<ProcessStat> read_process_stat(pid_t pid, const std::filesystem::path& root = "/");

}  // namespace weir
