#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// "No space left on device" and the like, for the value of errno. Thread-safe.
std::string errno_text(int error);

/// disk_full for the values of errno that say so (no space, no quota), else io.
Errc errc_from_errno(int error);

/// All of it, after what was written before; interrupted and partial writes go on. `name`: of the file, for messages.
/// Errors: io, disk_full.
Status write_all(int fd, std::string_view bytes, const std::filesystem::path& name);

/// Whether a file is to last through a loss of power from the moment on that it has its name, or only to be whole.
enum class Sync { yes, no };

/// Owns a file descriptor. -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_{fd} {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_{other.release()} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

/// A file without a name for scratch data, gone when closed, whatever happens to the process.
/// `folder` empty: the system's folder for temporary files. Errors: io.
Result<FileDescriptor> open_scratch_file(const std::filesystem::path& folder);

/// A file that appears whole or not at all: written without a name (or, on file systems that cannot do this, under a
/// short temporary name in the same folder), synced, and only then given its name. The temporary name depends on the final
/// one alone, and what a killed process left under it is taken away by the next writer. Not thread-safe; fd() may be
/// written from any one thread.
class AtomicFile {
 public:
  /// Errors: exists (and not `overwrite`), io (folder missing or not writable, a folder or device stands there, another
  /// process is writing this file), disk_full.
  static Result<AtomicFile> create(const std::filesystem::path& path, bool overwrite);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  /// Removes what was not committed.
  ~AtomicFile();

  /// Takes away what a killed process left of writing `path`, where a file system cannot write files without a name.
  static void remove_leftover(const std::filesystem::path& path);

  int fd() const { return file_.get(); }  ///< open for reading and writing
  /// All of it, after what was written before. Errors: io, disk_full, naming the file.
  Status write(std::string_view bytes);
  /// Syncs the file, gives it its name and syncs the folder; Sync::no leaves out both syncs. Without `overwrite` an existing
  /// file is never replaced, also if it appeared meanwhile. Errors: io, disk_full, exists; then nothing of ours stands under
  /// the name. At most once.
  Status commit(Sync sync = Sync::yes);

 private:
  AtomicFile() = default;
  Status publish();

  std::filesystem::path path_;
  std::string file_name_;       // the last part of path_, relative to folder_
  std::string temporary_name_;  // the name of the file while it is written; empty if it has none
  FileDescriptor folder_, file_;
  bool overwrite_ = false;
};

/// The bytes of a file. Errors: io: "X: cannot be read", also for a folder.
Result<std::string> read_file(const std::filesystem::path& path);

/// A file of these bytes that appears whole or not at all. Errors: those of AtomicFile.
Status write_file(const std::filesystem::path& path, std::string_view bytes, bool overwrite = true,
                  Sync sync = Sync::yes);

}  // namespace weir
