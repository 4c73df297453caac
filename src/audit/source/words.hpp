#pragma once

#include <cstddef>
#include <string_view>

namespace weir::audit {

/// Returns the offset of the first occurrence of `word` at or after the offset `from` that has no letter, digit or
/// underscore directly before or after it: "now" is in "set now:", not in "know". std::string_view::npos if there is
/// none.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0);

/// Returns whether find_word() finds `word`.
bool contains_word(std::string_view text, std::string_view word);

}  // namespace weir::audit
