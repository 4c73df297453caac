#include <charconv>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "base/atomic_file.hpp"
#include "memory/meter.hpp"

namespace weir::memory {
namespace {

/// The second number of /proc/self/statm, in pages: proc(5). Read without streams, since scopes are entered often.
std::optional<Bytes> resident_pages() {
  const FileDescriptor file{::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)};
  char text[128];
  const ssize_t got = file ? ::read(file.get(), text, sizeof text) : -1;
  if (got <= 0) return std::nullopt;
  const std::string_view line{text, static_cast<std::size_t>(got)};
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::uint64_t pages = 0;
  if (std::from_chars(line.data() + space + 1, line.data() + line.size(), pages).ec != std::errc{}) return std::nullopt;
  return Bytes{static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))} * pages;
}

std::optional<Bytes> malloc_in_use() {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  const struct mallinfo2 info = ::mallinfo2();
  const Bytes bytes{info.uordblks + info.hblkhd};
  if (bytes == Bytes{}) return std::nullopt;  // another allocator stands in its place
  return bytes;
#else
  return std::nullopt;
#endif
}

}  // namespace

std::shared_ptr<const Meter> make_malloc_meter() {
  return make_counter_meter("malloc", Side::host, Witness::allocator, malloc_in_use);
}

std::shared_ptr<const Meter> make_resident_meter() {
  return make_counter_meter("resident memory", Side::host, Witness::system, resident_pages);
}

int open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return -1;
  int count = -3;                                // ".", ".." and the descriptor of this listing
  while (::readdir(folder) != nullptr) ++count;  // NOLINT(concurrency-mt-unsafe): the stream is ours
  ::closedir(folder);
  return count;
}

}  // namespace weir::memory
