#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// A name as it may stand in a message of one line: control characters, bytes that are not UTF-8 and the backslash are
/// written as \n, \t, \x1b, \\ and so on; everything else is kept.
std::string printable(std::string_view text);

/// Length of the character at the start of `text` that printable() keeps as it is (but for the backslash); 0 for a control
/// character, for bytes that are not UTF-8 and for an empty text.
std::size_t printable_char_length(std::string_view text);

/// With small letters for the capital ones of ASCII; everything else as it is.
std::string lower_case(std::string_view text);

/// A message as one line: control characters become spaces, those at the ends go. For texts of other libraries.
std::string one_line(std::string_view text);

/// As text, or within double quotes, of HTML and XML: & < > " become entities.
std::string escape_markup(std::string_view text);

/// "1G", "640M", "1.5GiB", "3 MB", "4096B": K, M, G, T and KiB ... TiB count by 1024, KB ... TB by 1000, B is bytes; a number
/// without a unit is refused, but for 0. Any case, no locale. Errors: invalid_argument.
Result<Bytes> parse_bytes(std::string_view text);

/// A finite number above zero; the decimal point is a point. Errors: invalid_argument.
Result<double> parse_positive(std::string_view text);

/// A whole number within [low, high]. Errors: invalid_argument with the bounds.
Result<int> parse_integer(std::string_view text, int low, int high);

}  // namespace weir
