#include "device/lease_folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/text.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

std::string printable_path(const fs::path& path) { return printable(path.native()); }

Error io_error(const fs::path& path, const char* step) {
  return {Errc::io, fmt::format("{}: {}: {}", printable_path(path), step, errno_text(errno))};
}

bool is_folder(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// Creates a folder with exactly this mode, whatever the umask; does not change an existing one.
Status make_folder(const fs::path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0) return errno == EEXIST ? ok() : Status{io_error(path, "make the folder")};
  if (::chmod(path.c_str(), mode) != 0) return io_error(path, "set the folder's mode");
  return ok();
}

/// Creates a private folder of the user, unless it exists. Errors: io, also if another user owns a folder of that name.
Status make_own_folder(const fs::path& path) {
  if (auto made = make_folder(path, 0700); !made) return made;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return io_error(path, "look at the folder");
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid())
    return Error{Errc::io, fmt::format("{}: is not a folder of yours; set WEIR_LEASE_DIR", printable_path(path))};
  return ok();
}

/// Returns `folder` if locks work on its file system. Errors: io; unsupported.
Result<LeaseFolder> check_file_system(LeaseFolder folder) {
  struct statfs info {};
  if (::statfs(folder.path.c_str(), &info) != 0) return io_error(folder.path, "look at the folder for leases");
  if (!is_folder(folder.path)) return Error{Errc::io, fmt::format("{}: is not a folder", printable_path(folder.path))};
  if (is_network_file_system(static_cast<unsigned long>(info.f_type)))
    return Error{Errc::unsupported,
                 fmt::format("{}: is on a network file system, where a lock may exclude nobody; set WEIR_LEASE_DIR to "
                             "a local folder such as /run/lock/weir",
                             printable_path(folder.path))};
  return folder;
}

}  // namespace

bool is_network_file_system(unsigned long type) {
  // include/uapi/linux/magic.h and the headers of the file systems themselves.
  constexpr std::array<unsigned long, 16> kTypes = {
      0x6969,      // nfs
      0xFF534D42,  // cifs
      0xFE534D42,  // smb2
      0x517B,      // smbfs
      0x00C36400,  // ceph
      0x5346414F,  // afs
      0x6B414653,  // kafs
      0x73757245,  // coda
      0x564C,      // ncpfs
      0x0BD00BD0,  // lustre
      0x47504653,  // gpfs
      0x7461636F,  // ocfs2
      0x01161970,  // gfs2
      0x19830326,  // beegfs
      0x01021997,  // 9p
      0x65735546,  // fuse
  };
  return std::find(kTypes.begin(), kTypes.end(), type & 0xFFFFFFFFUL) != kTypes.end();
}

Result<LeaseFolder> find_lease_folder(const Environment& environment, const fs::path& system) {
  if (const auto set = environment("WEIR_LEASE_DIR")) {
    if (fs::path{*set}.is_absolute()) return check_file_system({.path = *set, .warning = {}});
    return Error{
        Errc::invalid_argument,
        fmt::format("WEIR_LEASE_DIR must be an absolute path, and is '{}': programs that work in other folders "
                    "would hold other leases of the same device",
                    printable(*set))};
  }
  if (!is_folder(system) && ::geteuid() == 0 && is_folder(system.parent_path())) {
    if (auto made = make_folder(system, 01777); !made) return made.error();
  }
  if (is_folder(system)) return check_file_system({.path = system, .warning = {}});
  const auto runtime = environment("XDG_RUNTIME_DIR");
  const bool usable = runtime && fs::path{*runtime}.is_absolute();  // required by the XDG specification
  const fs::path own = usable ? fs::path{*runtime} / "weir" : fs::path{fmt::format("/tmp/weir-{}", ::geteuid())};
  if (auto made = make_own_folder(own); !made) return made.error();
  return check_file_system(
      {own, fmt::format("leases in {} exclude only your own programs; as root run 'install -d -m 1777 {}' so "
                        "that all users share them",
                        printable_path(own), printable_path(system))});
}

Result<FileDescriptor> open_lock_file(const fs::path& path, LockFileUse use) {
  // O_NONBLOCK, so that a FIFO with this name does not block (with O_RDWR it never does). The first attempt has no
  // O_CREAT, because fs.protected_regular refuses that flag for another user's file in a folder that every user may
  // write (Documentation/admin-guide/sysctl/fs.rst).
  const int flags = (use == LockFileUse::lock ? O_RDWR : O_RDONLY | O_NONBLOCK) | O_CLOEXEC | O_NOFOLLOW;
  FileDescriptor file{::open(path.c_str(), flags)};
  if (!file && errno == ENOENT && use == LockFileUse::lock) {
    file = FileDescriptor{::open(path.c_str(), flags | O_CREAT | O_EXCL, 0666)};
    if (file)
      // Other users need access, whatever the umask is.
      (void)!::fchmod(file.get(), 0666);
    else if (errno == EEXIST)  // another process created it first
      file = FileDescriptor{::open(path.c_str(), flags)};
  }
  if (!file) return io_error(path, "open the lease file");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1)
    return Error{Errc::io, fmt::format("{}: is not a plain file with one name", printable_path(path))};
  return file;
}

bool is_path_of_file(int file, const fs::path& path) {
  struct stat open_one {};
  struct stat named {};
  return ::fstat(file, &open_one) == 0 && ::lstat(path.c_str(), &named) == 0 && open_one.st_dev == named.st_dev &&
         open_one.st_ino == named.st_ino;
}

}  // namespace weir::device
