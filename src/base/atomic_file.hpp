#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Returns the system's message for a value of errno, such as "No space left on device". Thread-safe.
std::string errno_text(int error);

/// Returns disk_full for the values of errno that mean "no space" or "quota exceeded", and io for all others.
Errc errc_from_errno(int error);

/// Writes all of `bytes` to the descriptor `fd` at its current position; continues after interrupted and partial
/// writes. `name` is the file's name in error messages.
/// Errors: io, disk_full.
Status write_all(int fd, std::string_view bytes, const std::filesystem::path& name);

/// Selects whether a file must survive a loss of power (yes: it is synced to the disk) or need not (no).
enum class Sync { yes, no };

/// Owns an open file descriptor and closes it. get() returns -1 if the object owns no descriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_{fd} {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_{other.release()} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  /// Gives up ownership and returns the descriptor.
  int release();

 private:
  int fd_ = -1;
};

/// Opens an unnamed file for scratch data. The system deletes it when it is closed, even if the process is killed.
/// An empty `folder` selects $TMPDIR, or /tmp if that is unset. Errors: io, disk_full.
Result<FileDescriptor> open_scratch_file(const std::filesystem::path& folder);

/// A new file that appears under its name only when it is complete. It is written without a name (or, on file systems
/// that do not support this, under a short temporary name in the same folder). commit() syncs it, if that is requested,
/// and only then gives it its name. The temporary name depends only on the final name, and the next writer removes a
/// temporary file that a killed process left. Not thread-safe. The descriptor fd() may be written on another thread, by
/// one thread at a time.
class AtomicFile {
 public:
  /// Starts a new file that will replace or create `path`.
  /// Errors: exists (there is such a file and `overwrite` is false); io (`path` has no file name or is no regular file,
  /// the folder is missing or not writable, or another process is writing this file); disk_full.
  static Result<AtomicFile> create(const std::filesystem::path& path, bool overwrite);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  /// Removes the temporary file if commit() did not publish it.
  ~AtomicFile();

  /// Removes the temporary file that a killed process left while it wrote `path`. Does nothing if there is no such
  /// file, or if a process is still writing it.
  static void remove_leftover(const std::filesystem::path& path);

  int fd() const { return file_.get(); }  ///< descriptor, open for reading and writing; -1 after a successful commit()
  /// Appends all of `bytes`. Errors: io, disk_full; the message names the file.
  Status write(std::string_view bytes);
  /// Syncs the file, gives it its name and syncs the folder; Sync::no omits both syncs. If create() got `overwrite` =
  /// true, the file takes over the mode of the file that it replaces. If it got false, an existing file is never
  /// replaced, even if it appeared after create(). Call commit() at most once.
  /// Errors: io, disk_full, exists. After an error the file is not visible under its name. The exception is an error of
  /// the sync of the folder: then it is visible.
  Status commit(Sync sync = Sync::yes);

 private:
  AtomicFile() = default;
  Status publish();

  std::filesystem::path path_;
  std::string file_name_;       // last part of path_, relative to folder_
  std::string temporary_name_;  // name of the file while it is written; empty if it has none
  FileDescriptor folder_, file_;
  bool overwrite_ = false;
};

/// Returns the contents of a file. Errors: io, also if `path` is missing or a folder.
Result<std::string> read_file(const std::filesystem::path& path);

/// Writes a file with AtomicFile: it appears complete or not at all. Errors: those of AtomicFile::create(), write() and
/// commit().
Status write_file(const std::filesystem::path& path, std::string_view bytes, bool overwrite = true,
                  Sync sync = Sync::yes);

}  // namespace weir
