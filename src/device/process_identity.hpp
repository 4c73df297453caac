#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace weir::device {

/// Identifies a process uniquely, even if its id is reused.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;    ///< start time in clock ticks since boot, field 22 of /proc/PID/stat
  std::string boot_id;              ///< /proc/sys/kernel/random/boot_id, different after every boot
  std::uint64_t pid_namespace = 0;  ///< inode of /proc/PID/ns/pid
};

enum class Liveness {
  alive,
  dead,    ///< ended, even if its parent has not waited for it
  unknown  ///< the process is in another PID namespace, whose process ids have no meaning here
};

ProcessIdentity identify_this_process();

/// Returns whether a process lives.
Liveness liveness_of(const ProcessIdentity& process);

/// Returns a short name of a program for records and logs: "python train.py", "python -m pytest", "weir run". It is the
/// program's file name, for an interpreter also the script or module, for weir also the command. It leaves out the
/// other arguments, since they may contain a password. `arguments`: program and arguments.
std::string program_name(const std::vector<std::string>& arguments);
/// Returns the program name of a running process; empty if /proc does not contain it. `root`: the folder that contains
/// proc.
std::string program_name(pid_t pid, const std::filesystem::path& root = "/");

/// Returns true if this process is in the PID namespace of the host, so that process ids that a driver reports are
/// valid here. Returns false in a container with a PID namespace of its own.
bool sees_host_pids();

}  // namespace weir::device
