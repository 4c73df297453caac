#include "base/anonymous_mapping.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace weir {

Result<AnonymousMapping> AnonymousMapping::create(Bytes size) {
  if (size == Bytes{}) return AnonymousMapping{};
  void* memory =
      mmap(nullptr, size.count(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Error{Errc::over_budget, fmt::format("reserve {}: {}", to_text(size), std::strerror(errno))};
  }
  // The system may refuse large pages; then only speed is lost.
  if (size >= 8_MiB) (void)madvise(memory, size.count(), MADV_HUGEPAGE);
  return AnonymousMapping{static_cast<std::byte*>(memory), size};
}

AnonymousMapping::AnonymousMapping(AnonymousMapping&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, Bytes{})} {}

AnonymousMapping& AnonymousMapping::operator=(AnonymousMapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AnonymousMapping::~AnonymousMapping() {
  if (data_ != nullptr) munmap(data_, size_.count());
}

}  // namespace weir
