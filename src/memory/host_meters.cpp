// The meters of the memory of this process: malloc and resident memory (meter.hpp).

#include <filesystem>
#include <iterator>
#include <optional>
#include <system_error>

#include <malloc.h>

#include "base/process_memory.hpp"
#include "memory/meter.hpp"

namespace weir::memory {
namespace {

std::optional<Bytes> resident_bytes() {
  const Bytes bytes = resident_memory();
  return bytes == Bytes{} ? std::nullopt : std::optional{bytes};
}

std::optional<Bytes> malloc_in_use() {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
  const struct mallinfo2 info = ::mallinfo2();
  const Bytes bytes{info.uordblks + info.hblkhd};
  if (bytes == Bytes{}) return std::nullopt;  // another allocator replaces malloc
  return bytes;
#else
  return std::nullopt;
#endif
}

}  // namespace

std::shared_ptr<const Meter> make_malloc_meter() {
  return make_counter_meter("malloc", Side::host, MeterLayer::allocator, malloc_in_use);
}

std::shared_ptr<const Meter> make_resident_meter() {
  return make_counter_meter("resident memory", Side::host, MeterLayer::system, resident_bytes);
}

int count_open_descriptors() {
  std::error_code problem;
  const std::filesystem::directory_iterator entries{"/proc/self/fd", problem};
  // 1 is the descriptor of the folder itself, open while it is listed
  return problem ? -1 : static_cast<int>(std::distance(begin(entries), end(entries))) - 1;
}

}  // namespace weir::memory
