#include "device/file_write_monitor.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace weir::device {

FileWriteMonitor::FileWriteMonitor() : inotify_{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)} {}

void FileWriteMonitor::add_file(const std::filesystem::path& file) {
  if (inotify_) (void)::inotify_add_watch(inotify_.get(), file.c_str(), IN_MODIFY);
}

bool FileWriteMonitor::wait(std::chrono::microseconds max_wait) {
  if (!inotify_) {
    std::this_thread::sleep_for(max_wait);
    return false;
  }
  const auto nanoseconds = std::chrono::nanoseconds{std::max(max_wait, std::chrono::microseconds{0})}.count();
  const timespec limit{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
  pollfd entry{inotify_.get(), POLLIN, 0};
  if (::ppoll(&entry, 1, &limit, nullptr) <= 0) return false;
  // Discards the events. They need not be parsed, because all monitored files count alike. A full buffer means that
  // more events may follow.
  std::array<char, 4096> events{};
  while (::read(inotify_.get(), events.data(), events.size()) == static_cast<ssize_t>(events.size())) {}
  return true;
}

}  // namespace weir::device
