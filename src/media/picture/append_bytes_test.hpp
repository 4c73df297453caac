#pragma once

// Functions that append bytes to the buffer `to`, for the tests that build files.

#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "media/picture/picture_samples_test.hpp"

namespace weir::media::test {

inline void append(Samples& to, const void* data, std::size_t size) {
  if (size == 0) return;
  const auto old_size = to.size();
  to.resize(old_size + size);
  std::memcpy(to.data() + old_size, data, size);
}
inline void append(Samples& to, std::initializer_list<int> bytes) {
  for (const int byte : bytes) to.push_back(static_cast<std::byte>(byte));
}
/// Appends the lowest `byte_count` bytes of `value`, least significant byte first.
inline void append_le(Samples& to, std::uint32_t value, int byte_count) {
  for (int i = 0; i < byte_count; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}
/// Appends the lowest `byte_count` bytes of `value`, most significant byte first.
inline void append_be(Samples& to, std::uint32_t value, int byte_count) {
  for (int i = byte_count - 1; i >= 0; --i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

}  // namespace weir::media::test
