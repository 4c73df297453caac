#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weir {

/// The kinds of errors that callers distinguish.
enum class Errc {
  invalid_argument,  ///< an argument, option or setting is not allowed
  over_budget,       ///< not enough memory, now or ever: the limit is reached, or the system refuses
  unsupported,       ///< a format, device or library that this build or machine does not support
  device_lost,       ///< the graphics driver or the device failed
  io,                ///< a file, stream, thread or process operation failed
  disk_full,         ///< no space left, or the quota is exceeded
  corrupt,           ///< data that are damaged or not of the expected format
  cancelled,         ///< the user or the caller requested a stop
  timed_out,         ///< no answer or no result in time
  exists,            ///< the file to be created exists already
  bad_values,        ///< computed or stored numbers that cannot be right, such as NaN
  failed             ///< a program that weir started reported a failure
};

/// Returns a stable name such as "over_budget" for JSON, logs and messages between processes.
std::string_view name_of(Errc code);
std::optional<Errc> errc_named(std::string_view name);  ///< Returns the code with that name; empty for any other text.

/// An error with a code and a message.
struct Error {
  Errc code;         ///< for decisions of the program
  std::string what;  ///< one line for people: the operation, the values, the limit
};

/// A value, or the error that explains why there is no value. The Result converts to true if it holds a value: then
/// operator* returns the value, otherwise error() returns the error. Errors that a correct program may meet are
/// reported as a Result; a violated internal invariant is an assert.
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

/// The result of an operation that returns no value.
using Status = Result<std::monostate>;
/// Returns a successful Status.
inline Status ok() { return std::monostate{}; }

}  // namespace weir
