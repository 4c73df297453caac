#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir::cli {

/// " (did you mean '--scale'?)" for the known word that is nearest to a mistyped one, if it is near enough: at most a
/// third of the letters, and at most two, are missing, added, changed or exchanged with their neighbour. Else empty.
std::string near_word_hint(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir::cli
