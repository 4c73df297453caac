#pragma once

#include <chrono>
#include <filesystem>

#include "base/atomic_file.hpp"

namespace weir::device {

/// Waits with inotify(7) for a write to one of several files. Some writes are not detected: if the system has no
/// inotify watch left, or if another machine writes to a shared file system. Not thread-safe.
class FileWriteMonitor {
 public:
  FileWriteMonitor();
  /// Adds a file to monitor; ignores errors.
  void add_file(const std::filesystem::path& file);
  /// Waits until a file is written, at most for `max_wait`. Returns true at once if a file was written since the last
  /// call; returns false if none was written in time.
  bool wait(std::chrono::microseconds max_wait);

 private:
  FileDescriptor inotify_;
};

}  // namespace weir::device
