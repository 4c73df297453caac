#pragma once

#include <cstddef>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Owns zero-filled memory pages that belong to no file (anonymous mmap); the destructor returns them to the system. A
/// page uses physical memory only once it is written. For mappings of 8 MiB and more, requests large pages from the
/// system, to reduce page faults.
class AnonymousMapping {
 public:
  AnonymousMapping() = default;
  /// Maps `size` bytes; for 0 the mapping is empty and data() is null. Errors: over_budget when the system refuses.
  static Result<AnonymousMapping> create(Bytes size);
  AnonymousMapping(AnonymousMapping&& other) noexcept;
  AnonymousMapping& operator=(AnonymousMapping&& other) noexcept;
  ~AnonymousMapping();

  std::byte* data() const { return data_; }
  Bytes size() const { return size_; }

 private:
  AnonymousMapping(std::byte* data, Bytes size) : data_{data}, size_{size} {}
  std::byte* data_ = nullptr;
  Bytes size_;
};

}  // namespace weir
