#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// What tells one process from every other, also when its number is used again.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;    ///< since boot, field 22 of /proc/PID/stat
  std::string boot_id;              ///< /proc/sys/kernel/random/boot_id
  std::uint64_t pid_namespace = 0;  ///< inode of /proc/PID/ns/pid
};

enum class Liveness { alive, dead, unknown };

ProcessIdentity identify_this_process();

/// Unknown for a process of another PID namespace, whose numbers mean nothing here. One that ended is dead also while its
/// parent has not waited for it.
Liveness liveness_of(const ProcessIdentity& process);

/// "python train.py", "python -m pytest", "weir run": the name of the program, of an interpreter also that of the script or
/// module, of weir the command. Nothing else of the command line, which may hold a password. For records and logs.
std::string program_name(const std::vector<std::string>& arguments);
/// Of a running process; empty if /proc does not tell. `root` is where proc lies.
std::string program_name(pid_t pid, const std::filesystem::path& root = "/");

/// Whether process numbers that a driver reports (those of the machine) are the numbers that this process sees: false
/// in a container with a PID namespace of its own.
bool sees_host_pids();

}  // namespace weir::device
