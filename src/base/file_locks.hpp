#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/atomic_file.hpp"
#include "base/result.hpp"

namespace weir {

/// Locks on bytes of a file that belong to the open file description (OFD locks, fcntl(2)): they end with the last
/// descriptor of that description, so with the death of the process too, and another open() of the same file by the same
/// process excludes like another process. A forked child has a copy of the description: it only closes it, the process
/// that took a lock unlocks it. Bytes may lie beyond the end of the file. Thread-safe.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t count = 1;  ///< 0: all from `first` on
};
inline constexpr ByteRange kWholeFile{0, 0};

enum class LockKind { read, write };

/// A file to lock, open for reading and writing; made if it is missing, never removed. Errors: io, disk_full.
Result<FileDescriptor> open_lock_file(const std::filesystem::path& path);

/// Makes `text` all that such a file says: who holds it. `name`: for messages. Errors: io, disk_full.
Status replace_file_text(int fd, std::string_view text, const std::filesystem::path& name);

/// False if somebody else's lock is in the way. A write lock needs a descriptor that is open for writing. Errors: io.
Result<bool> try_lock(int fd, ByteRange range, LockKind kind);

/// Gives back whatever this description holds in the range. Errors: io.
Status unlock(int fd, ByteRange range);

/// The first byte in the range at which a lock of another description stands in the way of `kind`; empty if none does.
/// Errors: io.
Result<std::optional<std::uint64_t>> find_conflicting_lock(int fd, ByteRange range, LockKind kind);

}  // namespace weir
