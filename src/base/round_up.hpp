#pragma once

#include <type_traits>

namespace weir {

/// The least multiple of `to` that is not below `n`; `n` at least 0, `to` at least 1.
template <class T>
constexpr T round_up(T n, std::type_identity_t<T> multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace weir
