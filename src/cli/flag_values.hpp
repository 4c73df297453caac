#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"

namespace weir::cli {

// Helpers for Flag::set. They parse the text of a flag and store the value in `target`. Errors: invalid_argument with
// the reason.

/// Makes an invalid_argument error.
inline Error invalid(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

/// Parses "true" or "false".
inline Status set_switch(std::string_view text, bool& target) {
  if (text != "true" && text != "false") return invalid(fmt::format("'{}' is neither true nor false", printable(text)));
  target = text == "true";
  return ok();
}

/// Stores a path, which must not be empty.
inline Status set_path(std::string_view text, std::string& target) {
  if (text.empty()) return invalid("the name is empty");
  target = text;
  return ok();
}

/// Stores a parsed value, or returns its error.
template <class T, class U>
Status assign_parsed(Result<T> parsed, U& target) {
  if (!parsed) return parsed.error();
  target = *std::move(parsed);
  return ok();
}

}  // namespace weir::cli
