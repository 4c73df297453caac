#pragma once

#include <filesystem>
#include <string>

#include "base/atomic_file.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"

namespace weir::device {

/// The folder of the lease files.
struct LeaseFolder {
  std::filesystem::path path;
  std::string warning;  ///< a limit of this folder: "excludes only your own programs ..."; empty if there is none
};

/// Returns the first of these folders that applies:
/// 1. $WEIR_LEASE_DIR, if the variable is set; it must be an absolute path,
/// 2. `system`, if it exists (packaging/tmpfiles.d/weir.conf creates it at boot; a process of root creates it here),
/// 3. $XDG_RUNTIME_DIR/weir, if the variable is an absolute path,
/// 4. /tmp/weir-UID.
/// Folders 3 and 4 are created if they are missing, and have a warning, since programs of other users do not use them.
/// Errors: invalid_argument for a relative $WEIR_LEASE_DIR; io; unsupported for a network file system, where locks may
/// have no effect on other machines.
Result<LeaseFolder> find_lease_folder(const Environment& environment,
                                      const std::filesystem::path& system = "/run/lock/weir");

/// Purpose of opening a lock file: to lock it, or only to read who holds the lock.
enum class LockFileUse { lock, read };

/// Opens a lock file. With LockFileUse::lock opens it for reading and writing, and creates it (mode 0666) if it is
/// missing; with LockFileUse::read opens it for reading only. Does not follow links. Errors: io, also for a file that
/// is not regular or has several names.
Result<FileDescriptor> open_lock_file(const std::filesystem::path& path, LockFileUse use = LockFileUse::lock);

/// Returns true if `path` still names the open file with the descriptor `file`. If the file was removed and created
/// again, the path names another file, with other locks.
bool is_path_of_file(int file, const std::filesystem::path& path);

/// Returns true if `type` (f_type of statfs(2)) is the type of a file system that several machines may share: of a
/// network or cluster file system, or of FUSE or 9p, which may be one.
bool is_network_file_system(unsigned long type);

}  // namespace weir::device
