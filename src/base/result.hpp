#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir {

/// The cases that callers really tell apart.
enum class Errc {
  invalid_argument,
  over_budget,
  unsupported,
  device_lost,
  io,
  disk_full,
  corrupt,
  cancelled,
  timed_out,
  exists,
  bad_values,
  failed  ///< a program that was started says so
};

/// "over_budget" and the like: stable words for JSON, logs and messages between processes.
std::string_view name_of(Errc code);
std::optional<Errc> errc_named(std::string_view name);  ///< empty for any other word

struct Error {
  Errc code;         ///< for programs
  std::string what;  ///< for people: the operation, the values, the limit; one line
};

/// A value, or the reason why there is none. What a correct program may meet is a Result; a broken promise of our
/// own code is an assert.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status ok() { return std::monostate{}; }

}  // namespace weir
