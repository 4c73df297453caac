#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

/// The known word that is nearest to a mistyped one, if it is near enough: at most a third of the letters, and at most
/// two, are missing, added, changed or exchanged with their neighbour. Else the only known word that begins with it, if it
/// has three letters or more; else empty. Capitals and small letters are the same, and so are "_" and "-".
std::string_view closest_word(std::string_view word, std::span<const std::string_view> known);

/// " (did you mean '--scale'?)" for that word, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir
