#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/file_locks.hpp"
#include "base/read_stream.hpp"
#include "base/text.hpp"

namespace weir {
namespace {

Error io_error(const std::filesystem::path& path, const char* step, int error, const char* advice = "") {
  return Error{errc_from_errno(error), printable(path.native()) + ": " + step + ": " + errno_text(error) + advice};
}

Error exists_error(const std::filesystem::path& path) {
  return Error{Errc::exists, printable(path.native()) + ": exists already; use --overwrite to replace it"};
}

// Returns the hash FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). It only has to make names differ.
std::uint64_t fnv1a_hash(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return hash;
}

// Returns a short name, always the same for one final name, so that the next writer finds the temporary file that a
// killed process left. A process that writes the file holds a lock on it; the lock ends with the process.
std::string temporary_name(const std::string& final_name) {
  char text[40];
  std::snprintf(text, sizeof text, ".weir-%016llx.tmp", static_cast<unsigned long long>(fnv1a_hash(final_name)));
  return text;
}

// Returns whether the name in this folder still refers to the open file `fd`.
bool is_named(int folder_fd, const std::string& name, int fd) {
  struct stat by_name {
  }, opened{};
  return ::fstatat(folder_fd, name.c_str(), &by_name, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(fd, &opened) == 0 &&
         by_name.st_ino == opened.st_ino && by_name.st_dev == opened.st_dev;
}

constexpr int kMaxTries = 100;  // attempts to get the temporary file, 2 ms apart while another process has locked it

/// Locks the whole file exclusively, without waiting. Returns false if another process has locked it or locking fails.
bool try_lock_whole(const FileDescriptor& file) {
  const auto taken = try_lock(file.get(), kWholeFile, LockKind::write);
  return taken && *taken;
}

void wait_briefly() {
  const timespec pause{0, 2'000'000};  // 2 ms
  ::nanosleep(&pause, nullptr);
}

// Opens the temporary file of this name, empty and locked. On failure returns an empty FileDescriptor and sets errno:
// EBUSY if another process keeps writing the file.
FileDescriptor open_temporary(int folder_fd, const std::string& name) {
  for (int i = 0; i < kMaxTries; ++i) {
    FileDescriptor file{::openat(folder_fd, name.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666)};
    if (!file) return file;
    // The process that had locked the file may have renamed it since it was opened here: then tries again.
    if (!try_lock_whole(file)) {
      wait_briefly();
    } else if (is_named(folder_fd, name, file.get())) {
      return ::ftruncate(file.get(), 0) == 0 ? std::move(file) : FileDescriptor{};
    }
  }
  errno = EBUSY;
  return {};
}

// Removes a file that a killed process left under the temporary name. Returns false if the name may still be in use:
// another process is writing the file, or the file cannot be opened.
bool remove_stale(int folder_fd, const std::string& name) {
  const FileDescriptor file{::openat(folder_fd, name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!file) return errno == ENOENT;
  if (!try_lock_whole(file)) return false;
  if (is_named(folder_fd, name, file.get())) ::unlinkat(folder_fd, name.c_str(), 0);
  return true;
}

// Gives the unnamed file with the path `fd_path` (/proc/self/fd/N) the temporary name. Returns -1 and sets errno on
// failure.
int link_temporary(int folder_fd, const std::string& fd_path, const std::string& name) {
  for (int i = 0; i < kMaxTries; ++i) {
    if (::linkat(AT_FDCWD, fd_path.c_str(), folder_fd, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return 0;
    if (errno != EEXIST) return -1;
    if (!remove_stale(folder_fd, name)) wait_briefly();
  }
  errno = EBUSY;
  return -1;
}

// Gives the new file `fd` the mode of the file `name` that it will replace: a private picture stays private.
void copy_mode(int folder_fd, const std::string& name, int fd) {
  struct stat old {};
  if (::fstatat(folder_fd, name.c_str(), &old, 0) == 0) (void)!::fchmod(fd, old.st_mode & 07777U);
}

// Returns whether this errno of open(O_TMPFILE) means that the file system or kernel does not support unnamed files.
bool means_no_unnamed_files(int error) {
  return error == EOPNOTSUPP || error == EISDIR || error == EINVAL || error == ENOENT;
}

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

Errc errc_from_errno(int error) { return error == ENOSPC || error == EDQUOT ? Errc::disk_full : Errc::io; }

Status write_all(int fd, std::string_view bytes, const std::filesystem::path& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return Error{errc_from_errno(errno),
                   fmt::format("{}: cannot be written: {}", printable(name.native()), errno_text(errno))};
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok();
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

int FileDescriptor::release() { return std::exchange(fd_, -1); }

Result<FileDescriptor> open_scratch_file(const std::filesystem::path& folder) {
  std::filesystem::path where = folder;
  if (where.empty()) {
    const char* set = std::getenv("TMPDIR");
    where = set != nullptr && *set != '\0' ? set : "/tmp";
  }
  FileDescriptor file{::open(where.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  if (file) return file;
  if (!means_no_unnamed_files(errno))
    return io_error(where, "make a scratch file", errno, "; name another --spill folder");
  std::string name = (where / ".weir-scratch-XXXXXX").native();
  file = FileDescriptor{::mkostemp(name.data(), O_CLOEXEC)};
  if (!file) return io_error(where, "make a scratch file", errno, "; name another --spill folder");
  ::unlink(name.c_str());
  return file;
}

Result<AtomicFile> AtomicFile::create(const std::filesystem::path& path, bool overwrite) {
  AtomicFile created;
  created.path_ = path;
  created.file_name_ = path.filename().native();
  created.overwrite_ = overwrite;
  const auto parent = path.parent_path().empty() ? std::filesystem::path{"."} : path.parent_path();
  if (created.file_name_.empty() || created.file_name_ == "." || created.file_name_ == "..")
    return Error{Errc::io, printable(path.native()) + ": does not name a file; name a file to write"};
  created.folder_ = FileDescriptor{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!created.folder_) return io_error(path, "open its folder", errno);
  struct stat old {};
  if (::fstatat(created.folder_.get(), created.file_name_.c_str(), &old, 0) == 0) {
    if (!S_ISREG(old.st_mode))
      return Error{Errc::io, printable(path.native()) + ": is not a regular file; name another output"};
    if (!overwrite) return exists_error(path);
  } else if (errno == ENAMETOOLONG) {
    return io_error(path, "write", errno, "; use a shorter name");
  }
  created.file_ = FileDescriptor{::openat(created.folder_.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666)};
  if (!created.file_ && means_no_unnamed_files(errno)) {
    created.temporary_name_ = temporary_name(created.file_name_);
    created.file_ = open_temporary(created.folder_.get(), created.temporary_name_);
    if (!created.file_) created.temporary_name_.clear();
  }
  if (!created.file_) return io_error(path, "write into its folder", errno);
  return created;
}

void AtomicFile::remove_leftover(const std::filesystem::path& path) {
  const auto parent = path.parent_path().empty() ? std::filesystem::path{"."} : path.parent_path();
  const FileDescriptor folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder) (void)remove_stale(folder.get(), temporary_name(path.filename().native()));
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_{std::move(other.path_)},
      file_name_{std::move(other.file_name_)},
      temporary_name_{std::exchange(other.temporary_name_, {})},
      folder_{std::move(other.folder_)},
      file_{std::move(other.file_)},
      overwrite_{other.overwrite_} {}

AtomicFile::~AtomicFile() {
  if (!temporary_name_.empty()) ::unlinkat(folder_.get(), temporary_name_.c_str(), 0);
}

// Only linkat can give an unnamed file a name, and linkat never replaces a file. Without `overwrite` it creates the
// final name directly; with `overwrite` it creates a temporary name, which is then renamed.
Status AtomicFile::publish() {
  const int folder_fd = folder_.get();
  if (temporary_name_.empty()) {
    const auto fd_path = "/proc/self/fd/" + std::to_string(file_.get());
    if (!overwrite_) {
      if (::linkat(AT_FDCWD, fd_path.c_str(), folder_fd, file_name_.c_str(), AT_SYMLINK_FOLLOW) == 0) return ok();
      return errno == EEXIST ? exists_error(path_) : io_error(path_, "give the file its name", errno);
    }
    const auto temporary = temporary_name(file_name_);
    // The lock keeps other writers from removing the temporary name as a leftover. No other process has this new file
    // open, so locking fails only on a file system without locks; the file is then published without one.
    (void)try_lock_whole(file_);
    if (link_temporary(folder_fd, fd_path, temporary) != 0) return io_error(path_, "give the file its name", errno);
    temporary_name_ = temporary;
  }
  if (overwrite_) {
    if (::renameat(folder_fd, temporary_name_.c_str(), folder_fd, file_name_.c_str()) != 0)
      return io_error(path_, "give the file its name", errno);
    temporary_name_.clear();
    return ok();
  }
  int result = ::renameat2(folder_fd, temporary_name_.c_str(), folder_fd, file_name_.c_str(), RENAME_NOREPLACE);
  if (result == 0) {
    temporary_name_.clear();
    return ok();
  }
  if (errno == EINVAL || errno == ENOSYS)
    result = ::linkat(folder_fd, temporary_name_.c_str(), folder_fd, file_name_.c_str(), 0);
  if (result != 0) return errno == EEXIST ? exists_error(path_) : io_error(path_, "give the file its name", errno);
  return ok();  // the destructor removes the temporary name
}

Status AtomicFile::write(std::string_view bytes) { return write_all(file_.get(), bytes, path_); }

Status AtomicFile::commit(Sync sync) {
  assert(file_);
  if (overwrite_) copy_mode(folder_.get(), file_name_, file_.get());
  if (sync == Sync::yes && ::fsync(file_.get()) != 0) return io_error(path_, "write", errno);
  if (auto done = publish(); !done) return done;
  // A file system that cannot sync a folder returns EINVAL; the file is published nevertheless.
  if (sync == Sync::yes && ::fsync(folder_.get()) != 0 && errno != EINVAL)
    return io_error(path_, "sync its folder", errno);
  file_ = FileDescriptor{};
  return ok();
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code ignored;
  std::ifstream file{path, std::ios::binary};
  auto text = file && !std::filesystem::is_directory(path, ignored) ? read_stream(file) : std::nullopt;
  if (!text) return Error{Errc::io, fmt::format("{}: cannot be read", printable(path.native()))};
  return *std::move(text);
}

Status write_file(const std::filesystem::path& path, std::string_view bytes, bool overwrite, Sync sync) {
  auto file = AtomicFile::create(path, overwrite);
  if (!file) return file.error();
  if (auto written = file->write(bytes); !written) return written;
  return file->commit(sync);
}

}  // namespace weir
