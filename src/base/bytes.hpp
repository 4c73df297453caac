#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace weir {

/// A number of bytes. Sums and products saturate at the largest value, so a malicious size cannot wrap around to a
/// small one.
class Bytes {
 public:
  constexpr Bytes() = default;
  constexpr explicit Bytes(std::uint64_t count) : count_{count} {}
  [[nodiscard]] constexpr std::uint64_t count() const { return count_; }
  constexpr auto operator<=>(const Bytes&) const = default;

  constexpr Bytes& operator+=(Bytes other) {
    count_ = count_ > max_count() - other.count_ ? max_count() : count_ + other.count_;
    return *this;
  }
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return a += b; }
  /// Returns the difference, or 0 if it would be negative.
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return Bytes{a.count_ > b.count_ ? a.count_ - b.count_ : 0}; }
  friend constexpr Bytes operator*(Bytes a, std::uint64_t n) {
    return Bytes{n != 0 && a.count_ > max_count() / n ? max_count() : a.count_ * n};
  }

 private:
  static constexpr std::uint64_t max_count() { return std::numeric_limits<std::uint64_t>::max(); }
  std::uint64_t count_ = 0;
};

constexpr Bytes operator""_KiB(unsigned long long n) { return Bytes{n << 10}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return Bytes{n << 20}; }
constexpr Bytes operator""_GiB(unsigned long long n) { return Bytes{n << 30}; }

/// Formats a size for people, for example "640 MiB", "1.5 GiB", "312 KiB", "17 B"; does not depend on the locale.
std::string to_text(Bytes bytes);

}  // namespace weir
