#pragma once

#include <filesystem>

#include "base/atomic_file.hpp"
#include "base/result.hpp"
#include "device/lease_folder.hpp"

namespace weir::device {

/// An open lock file that a forked child can drop. OFD locks end with the last copy of their descriptor, so a child that one
/// thread makes while another waits in a queue would keep that place. exec drops the copies by O_CLOEXEC; a child without
/// exec (Python's os.fork, multiprocessing) does so by the functions below. In such a child get() is then -1.
/// Moves; not to be moved by two threads at once, else thread-safe.
class ForkSafeFile {
 public:
  /// Opens a lock file as open_lock_file() does, while nobody can fork. Errors: io.
  static Result<ForkSafeFile> open(const std::filesystem::path& path, LockFileUse use = LockFileUse::lock);
  ForkSafeFile(ForkSafeFile&& other) noexcept;
  ForkSafeFile& operator=(ForkSafeFile&& other) noexcept;
  ~ForkSafeFile();
  int get() const { return file_.get(); }

 private:
  friend struct ForkSafeFiles;
  ForkSafeFile();
  FileDescriptor file_;
  ForkSafeFile* next_ = nullptr;  // of the list of all that live
  ForkSafeFile* previous_ = nullptr;
};

/// Around a fork() without exec, in this order: files are neither opened nor closed from before_fork() on until
/// after_fork_in_parent() in the parent; in the child after_fork_in_child() closes its copies of all of them.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

}  // namespace weir::device
