#pragma once

#include <chrono>
#include <filesystem>

#include "base/atomic_file.hpp"

namespace weir::device {

/// Waits for somebody to write into one of a few files, by inotify. Where the system has no watch left, or nobody who writes is
/// seen (another machine on a shared file system), it is a plain wait. Not thread-safe.
/// Source  inotify(7)
class FileWriteMonitor {
 public:
  FileWriteMonitor();
  void add_file(const std::filesystem::path& file);
  /// True at once if a file was written since the last call, else false when the time is over.
  bool wait(std::chrono::microseconds time);

 private:
  FileDescriptor inotify_;
};

}  // namespace weir::device
