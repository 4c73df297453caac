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
bool has_variable(std::string_view environ, std::string_view variable,
                  const std::function<bool(std::string_view)>& wanted) {
  while (!environ.empty()) {
    const std::size_t end = environ.find('\0');
    const std::string_view entry = environ.substr(0, end);
    if (entry.starts_with(variable) && entry.substr(variable.size()).starts_with('=') &&
        wanted(entry.substr(variable.size() + 1)))
      return true;
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

std::vector<pid_t> find_with_variable(std::string_view variable, const std::function<bool(std::string_view)>& wanted,
                                      const fs::path& root) {
  std::vector<pid_t> found;
  std::error_code problem;
  for (fs::directory_iterator at{root / "proc", problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || rest != name.data() + name.size() || pid == ::getpid()) continue;
    if (has_variable(read_small_file(at->path() / "environ"), variable, wanted) && !is_zombie(at->path()))
      found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> find_marked(std::string_view variable, std::string_view value, const fs::path& root) {
  return find_with_variable(
      variable, [&](std::string_view found) { return found == value; }, root);
}

std::size_t end_processes(const std::function<std::vector<pid_t>()>& find) {
  const auto first = find();
  for (const pid_t pid : first) ::kill(pid, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  auto left = first;
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    left = find();
  }
  for (const pid_t pid : left) ::kill(pid, SIGKILL);
  return first.size();
}

std::size_t end_marked(std::string_view variable, std::string_view value) {
  return end_processes([&] { return find_marked(variable, value); });
}

std::string new_mark() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace weir::device
