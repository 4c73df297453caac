#pragma once

#include <filesystem>
#include <string>

#include "base/atomic_file.hpp"
#include "base/paths.hpp"
#include "base/result.hpp"

namespace weir::device {

/// Where the lease files lie.
struct LeaseFolder {
  std::filesystem::path path;
  std::string warning;  ///< what this folder cannot do: "excludes only your own programs ..."; empty if nothing
};

/// $WEIR_LEASE_DIR; else `system`, which packaging/tmpfiles.d/weir.conf makes at boot and root makes on demand; else
/// $XDG_RUNTIME_DIR/weir, else /tmp/weir-UID, with a warning: other users' programs do not look there.
/// Errors: io; unsupported for a network file system, where a lock may exclude nobody.
Result<LeaseFolder> find_lease_folder(const Environment& environment,
                                      const std::filesystem::path& system = "/run/lock/weir");

/// What a lock file is opened for: to lock it, or only to see who has.
enum class LockFileUse { lock, read };

/// Opens a lock file; to lock it, for reading and writing, and makes it (mode 0666) if it is not there. It is first opened without
/// O_CREAT: fs.protected_regular refuses that flag for another user's file in a folder that anybody may write
/// (Documentation/admin-guide/sysctl/fs.rst). Links are not followed. Errors: io.
Result<FileDescriptor> open_lock_file(const std::filesystem::path& path, LockFileUse use = LockFileUse::lock);

/// Whether the name still leads to the open file: a file that was removed and made again would split the lock.
bool is_path_of_file(int file, const std::filesystem::path& path);

/// The f_type of statfs(2) of file systems that other machines share, or that cannot be told from such (FUSE, 9p).
bool is_network_file_system(unsigned long type);

}  // namespace weir::device
