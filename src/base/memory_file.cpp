#include "base/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weir {

Result<FileDescriptor> make_memory_file(const char* name) {
  FileDescriptor file{::memfd_create(name, MFD_CLOEXEC)};
  if (!file || ::fcntl(file.get(), F_SETFL, O_APPEND) != 0)
    return Error{Errc::io, "make a file in memory: " + errno_text(errno)};
  return file;
}

Result<std::vector<std::byte>> read_from_start(int fd) {
  constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kPieceBytes);
    const ssize_t got = ::pread(fd, bytes.data() + filled, kPieceBytes, static_cast<off_t>(filled));
    if (got < 0 && errno != EINTR) return Error{Errc::io, errno_text(errno)};
    bytes.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return bytes;  // the end of the file
  }
}

}  // namespace weir
