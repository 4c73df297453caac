#pragma once

#include <type_traits>

namespace weir {

/// Returns the smallest multiple of `multiple` that is at least `n`. `n` is at least 0, `multiple` at least 1.
template <class T>
constexpr T round_up(T n, std::type_identity_t<T> multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace weir
