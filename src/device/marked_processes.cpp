#include "device/marked_processes.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <random>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "base/system_memory.hpp"
#include "base/text.hpp"
#include "device/process_identity.hpp"

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

constexpr auto kPatience = std::chrono::seconds{5};
constexpr std::size_t kMostNamed = 5;

std::string to_words(const EndedProcess& process) {
  const char* how = process.how == EndedProcess::How::asked    ? ""
                    : process.how == EndedProcess::How::killed ? " (killed: it did not end when asked)"
                                                               : " (it cannot be ended)";
  return fmt::format("pid {} '{}'{}", process.pid, printable(process.command.substr(0, 60)), how);
}

}  // namespace

bool is_zombie(pid_t pid, const fs::path& root) {
  const std::string stat = read_small_file(root / "proc" / std::to_string(pid) / "stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end == std::string::npos || stat.substr(name_end + 1, 2) == " Z";
}

std::vector<pid_t> find_with_variable(std::string_view variable, const std::function<bool(std::string_view)>& wanted,
                                      const fs::path& root) {
  std::vector<pid_t> found;
  std::error_code problem;
  for (fs::directory_iterator at{root / "proc", problem}, end; !problem && at != end; at.increment(problem)) {
    const std::string name = at->path().filename().native();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || rest != name.data() + name.size() || pid == ::getpid()) continue;
    if (has_variable(read_small_file(at->path() / "environ"), variable, wanted) && !is_zombie(pid, root))
      found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> find_marked(std::string_view variable, std::string_view value, const fs::path& root) {
  return find_with_variable(
      variable, [&](std::string_view found) { return found == value; }, root);
}

std::vector<EndedProcess> end_processes(const std::function<std::vector<pid_t>()>& find) {
  std::vector<EndedProcess> all;
  const auto start = std::chrono::steady_clock::now();
  auto nap = std::chrono::milliseconds{2};
  for (auto left = find(); !left.empty(); left = find()) {
    const auto waited = std::chrono::steady_clock::now() - start;
    for (const pid_t pid : left) {
      auto known = std::find_if(all.begin(), all.end(), [&](const EndedProcess& one) { return one.pid == pid; });
      if (known == all.end()) {
        known = all.insert(all.end(), {pid, command_line_of(pid), EndedProcess::How::asked});
        ::kill(pid, SIGTERM);
        ::kill(pid, SIGCONT);  // one that is stopped could not end
      }
      if (waited < kPatience) continue;
      known->how = waited < 2 * kPatience ? EndedProcess::How::killed : EndedProcess::How::lives;
      ::kill(pid, SIGKILL);
    }
    if (waited >= 2 * kPatience) break;
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::milliseconds{50});
  }
  return all;
}

std::string describe(const std::vector<EndedProcess>& ended) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ended.size(), kMostNamed); ++i)
    text += (i == 0 ? "" : ", ") + to_words(ended[i]);
  return ended.size() > kMostNamed ? fmt::format("{} and {} more", text, ended.size() - kMostNamed) : text;
}

std::string new_mark() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace weir::device
