#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"

namespace weir::cli {

// What the flags' setters have in common. Errors: invalid_argument saying what is wrong with the text.

inline Error invalid(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

inline Status set_switch(std::string_view text, bool& target) {
  if (text != "true" && text != "false") return invalid(fmt::format("'{}' is neither true nor false", printable(text)));
  target = text == "true";
  return ok();
}

inline Status set_path(std::string_view text, std::string& target) {
  if (text.empty()) return invalid("the name is empty");
  target = text;
  return ok();
}

template <class T, class U>
Status assign_parsed(Result<T> parsed, U& target) {
  if (!parsed) return parsed.error();
  target = *std::move(parsed);
  return ok();
}

}  // namespace weir::cli
