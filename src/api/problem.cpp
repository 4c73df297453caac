#include "api/problem.hpp"

namespace weir::api {

Problem to_problem(const Error& error) {
  using enum Problem::Code;
  const auto code = [&] {
    switch (error.code) {
      case Errc::invalid_argument:
        return invalid_argument;
      case Errc::over_budget:
        return over_budget;
      case Errc::unsupported:
      case Errc::device_lost:
        return unsupported;
      case Errc::io:
      case Errc::disk_full:
      case Errc::exists:
        return io;
      case Errc::corrupt:
        return corrupt;
      case Errc::cancelled:
      case Errc::timed_out:
        return cancelled;
      case Errc::bad_values:
        return bad_values;
      case Errc::failed:
        break;  // a program that weir started failed; the library starts none, so this is an internal error
    }
    return fault;
  };
  return {code(), error.what};
}

}  // namespace weir::api
