#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// A range of bytes to lock; it may lie beyond the end of the file. The functions below lock with OFD locks (open file
/// description locks, fcntl(2)): each open() of a file makes a description, and a lock belongs to a description. The
/// lock ends when the last descriptor of the description is closed; the death of a process closes its descriptors.
/// Locks of two descriptions of one file exclude each other even in the same process. A forked child shares the
/// descriptions of its parent, so the child must only close the descriptors and leave unlocking to the parent.
/// Thread-safe.
struct ByteRange {
  std::uint64_t first = 0;  ///< offset of the first byte
  std::uint64_t count = 1;  ///< number of bytes; 0: all bytes from `first` on
};
inline constexpr ByteRange kWholeFile{0, 0};

/// Read locks are shared; a write lock is exclusive.
enum class LockKind { read, write };

/// Opens a lock file for reading and writing and creates it if it is missing. Lock files are never removed. Errors: io,
/// disk_full.
Result<FileDescriptor> open_lock_file(const std::filesystem::path& path);

/// Replaces the contents of a lock file by `text`, which describes the holder of the lock. `fd` is the open file, at
/// position 0; `name` is the file's name in error messages. Errors: io, disk_full.
Status replace_file_text(int fd, std::string_view text, const std::filesystem::path& name);

/// Takes a lock on the open file `fd` without waiting. Returns false if a lock of another description conflicts. A
/// write lock needs a descriptor that is open for writing. Errors: io.
Result<bool> try_lock(int fd, ByteRange range, LockKind kind);

/// Releases all locks that the description of `fd` holds in the range. Errors: io.
Status unlock(int fd, ByteRange range);

/// Returns the offset of a byte in the range that another description has locked so that a lock of this `kind` would
/// conflict; empty if there is no conflict. Errors: io.
Result<std::optional<std::uint64_t>> find_conflicting_lock(int fd, ByteRange range, LockKind kind);

}  // namespace weir
