#pragma once

#include <filesystem>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "device/lease_folder.hpp"

namespace weir::device {

/// An open lock file whose copy a forked child can close. The locks are open-file-description (OFD) locks of fcntl(2):
/// a lock lasts until the last copy of its file descriptor is closed. A forked child gets copies of all descriptors, so
/// it would keep the locks of its parent. A child that calls exec closes its copies then (O_CLOEXEC). A child without
/// exec (Python's os.fork, multiprocessing) closes them with the functions below; get() then returns -1 in the child.
/// Movable. Two threads must not move one object at the same time; otherwise thread-safe.
class ForkSafeFile {
 public:
  /// Opens a lock file as open_lock_file() does. before_fork() waits until this is done, so that no child gets an open
  /// file that is not yet in the list of all files. Errors: io.
  static Result<ForkSafeFile> open(const std::filesystem::path& path, LockFileUse use = LockFileUse::lock);
  ForkSafeFile(ForkSafeFile&& other) noexcept;
  ForkSafeFile& operator=(ForkSafeFile&& other) noexcept;
  ~ForkSafeFile();
  int get() const { return file_.get(); }  ///< the file descriptor; -1 in a forked child

 private:
  friend struct ForkSafeFiles;
  ForkSafeFile();
  FileDescriptor file_;
  ForkSafeFile* next_ = nullptr;  // next file in the list of all living objects
  ForkSafeFile* previous_ = nullptr;
};

// Call these functions around a fork() that no exec follows (pthread_atfork(3) has the same three steps).

/// Call it before the fork: blocks all threads that want to open, move or close a ForkSafeFile.
void before_fork();
/// Call it in the parent after the fork: lets these threads continue.
void after_fork_in_parent();
/// Call it in the child after the fork: closes the child's copies of all files.
void after_fork_in_child();

}  // namespace weir::device
