#include "device/process_identity.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system_memory.hpp"

namespace weir::device {
namespace {

// PROC_PID_INIT_INO of include/linux/proc_ns.h: the inode of the first PID namespace of a machine.
constexpr std::uint64_t kFirstPidNamespace = 0xEFFFFFFC;

/// Programs whose first word is the name of a script, or of a command.
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

std::optional<std::uint64_t> start_ticks_of(pid_t pid) {
  return parse_start_ticks(read_small_file(fmt::format("/proc/{}/stat", pid)));
}

}  // namespace

std::optional<std::uint64_t> parse_start_ticks(std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(name_end + 1);
  for (int field = 2; field < 22; ++field) {  // field 2 ended with the parenthesis; each next one starts after a space
    const std::size_t space = stat.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    stat.remove_prefix(space + 1);
  }
  std::uint64_t ticks = 0;
  const auto [end, problem] = std::from_chars(stat.data(), stat.data() + stat.size(), ticks);
  if (problem != std::errc{}) return std::nullopt;
  return ticks;
}

ProcessIdentity identify_this_process() {
  const pid_t pid = ::getpid();
  return {pid, start_ticks_of(pid).value_or(0), boot_id(), own_pid_namespace()};
}

Liveness liveness_of(const ProcessIdentity& process) {
  if (process.boot_id != boot_id()) return Liveness::dead;
  if (process.pid_namespace != own_pid_namespace()) return Liveness::unknown;
  return start_ticks_of(process.pid) == process.start_ticks ? Liveness::alive : Liveness::dead;
}

std::string program_name(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  const auto base = [](const std::string& word) { return std::filesystem::path{word}.filename().native(); };
  std::string name = base(words[0]);
  const bool has_script =
      name.starts_with("python") || std::find(kInterpreters.begin(), kInterpreters.end(), name) != kInterpreters.end();
  if (!has_script || words.size() < 2) return name;
  if (words[1] == "-m" && words.size() > 2) return fmt::format("{} -m {}", name, words[2]);
  return words[1].starts_with("-") ? name : fmt::format("{} {}", name, base(words[1]));
}

std::string program_name(pid_t pid, const std::filesystem::path& root) {
  const std::string text = read_small_file(root / "proc" / std::to_string(pid) / "cmdline");
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size() && words.size() < 3;) {
    words.emplace_back(text.c_str() + at);
    at += words.back().size() + 1;
  }
  return program_name(words);
}

bool sees_machine_pids() { return own_pid_namespace() == kFirstPidNamespace; }

}  // namespace weir::device
