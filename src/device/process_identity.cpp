#include "device/process_identity.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process_stat.hpp"
#include "base/small_file.hpp"

namespace weir::device {
namespace {

// PROC_PID_INIT_INO of include/linux/proc_ns.h: the inode of the first PID namespace of a machine.
constexpr std::uint64_t kFirstPidNamespace = 0xEFFFFFFC;

/// Programs, besides those whose names begin with "python", whose first argument is the name of a script or a command.
constexpr std::array<std::string_view, 10> kInterpreters{"sh",   "bash", "dash",    "zsh",   "perl",
                                                         "ruby", "node", "Rscript", "julia", "weir"};

std::uint64_t own_pid_namespace() {
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

std::string boot_id() {
  std::string text = read_small_file("/proc/sys/kernel/random/boot_id");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// Returns true if the process is dead: its first thread (`stat`) has ended, and it has no other thread.
bool is_dead(const ProcessStat& stat, pid_t pid) {
  if (stat.state != 'Z' && stat.state != 'X') return false;
  std::error_code problem;
  const std::filesystem::directory_iterator threads{fmt::format("/proc/{}/task", pid), problem};
  return problem || std::distance(begin(threads), end(threads)) <= 1;
}

}  // namespace

ProcessIdentity identify_this_process() {
  const pid_t pid = ::getpid();
  return {pid, read_process_stat(pid).value_or(ProcessStat{}).start_ticks, boot_id(), own_pid_namespace()};
}

Liveness liveness_of(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return Liveness::dead;
  if (process.pid_namespace != own_pid_namespace()) return Liveness::unknown;
  const auto stat = read_process_stat(process.pid);
  const bool lives = stat && stat->start_ticks == process.start_ticks && !is_dead(*stat, process.pid);
  return lives ? Liveness::alive : Liveness::dead;
}

std::string program_name(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return {};
  const auto base = [](const std::string& argument) { return std::filesystem::path{argument}.filename().native(); };
  std::string name = base(arguments[0]);
  const bool has_script =
      name.starts_with("python") || std::find(kInterpreters.begin(), kInterpreters.end(), name) != kInterpreters.end();
  if (!has_script || arguments.size() < 2) return name;
  if (arguments[1] == "-m" && arguments.size() > 2) return fmt::format("{} -m {}", name, arguments[2]);
  return arguments[1].starts_with("-") ? name : fmt::format("{} {}", name, base(arguments[1]));
}

std::string program_name(pid_t pid, const std::filesystem::path& root) {
  const std::string text = read_small_file(root / "proc" / std::to_string(pid) / "cmdline");
  std::vector<std::string> arguments;
  // Each argument ends with a null byte. program_name() uses at most three.
  for (std::size_t at = 0; at < text.size() && arguments.size() < 3;) {
    arguments.emplace_back(text.c_str() + at);
    at += arguments.back().size() + 1;
  }
  return program_name(arguments);
}

bool sees_host_pids() { return own_pid_namespace() == kFirstPidNamespace; }

}  // namespace weir::device
