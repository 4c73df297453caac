#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

/// Returns the known word that is closest to `word`, which a user mistyped. At most two letters, and at most a third of
/// the letters of `word`, may be missing, added, changed or swapped with their neighbour. The number of letters does
/// not include leading dashes. If no known word is close enough and `word` has three letters or more, returns the known
/// word that starts with `word`, provided that there is only one. Returns an empty text if there is no such word, or if
/// `word` has more than 64 bytes. Case is ignored, and "_" equals "-".
std::string_view closest_word(std::string_view word, std::span<const std::string_view> known);

/// Returns " (did you mean '--scale'?)" for the closest word, or an empty text.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir
