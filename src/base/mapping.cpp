#include "base/mapping.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace weir {

Result<Mapping> Mapping::create(Bytes size) {
  if (size == Bytes{}) return Mapping{};
  void* memory =
      mmap(nullptr, size.count(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return Error{Errc::over_budget, fmt::format("reserve {}: {}", to_text(size), std::strerror(errno))};
  }
  if (size >= 8_MiB) (void)madvise(memory, size.count(), MADV_HUGEPAGE);  // a wish; refusal costs only speed
  return Mapping{static_cast<std::byte*>(memory), size};
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, Bytes{})} {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) munmap(data_, size_.count());
}

}  // namespace weir
