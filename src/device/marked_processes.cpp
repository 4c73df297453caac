#include "device/marked_processes.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <random>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "base/system_memory.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

/// `environ` is "A=1\0B=2\0".
bool has_variable(std::string_view environ, const std::string& wanted) {
  while (!environ.empty()) {
    const std::size_t end = environ.find('\0');
    if (environ.substr(0, end) == wanted) return true;
    environ.remove_prefix(end == std::string_view::npos ? environ.size() : end + 1);
  }
  return false;
}

bool is_zombie(const fs::path& process) {
  const std::string stat = read_small_file(process / "stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || stat.substr(name_end + 1, 2) == " Z";
}

}  // namespace

std::vector<pid_t> find_marked(std::string_view variable, std::string_view value, const fs::path& root) {
  const std::string wanted = fmt::format("{}={}", variable, value);
  std::vector<pid_t> found;
  std::error_code problem;
  for (fs::directory_iterator at{root / "proc", problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || rest != name.data() + name.size() || pid == ::getpid()) continue;
    if (has_variable(read_small_file(at->path() / "environ"), wanted) && !is_zombie(at->path())) found.push_back(pid);
  }
  return found;
}

std::size_t end_marked(std::string_view variable, std::string_view value) {
  const auto first = find_marked(variable, value);
  for (const pid_t pid : first) ::kill(pid, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  auto left = first;
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    left = find_marked(variable, value);
  }
  for (const pid_t pid : left) ::kill(pid, SIGKILL);
  return first.size();
}

std::string new_mark() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace weir::device
