#pragma once

#include <cstddef>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Zero-filled memory of its own pages, given back to the system when destroyed. Pages count as resident only once they
/// are touched. Large pages are asked for where the system has them: fewer first touches.
class AnonymousMapping {
 public:
  AnonymousMapping() = default;
  /// Errors: over_budget when the system refuses.
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
