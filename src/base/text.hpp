#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir {

/// Returns the text in a form that is safe in a one-line message: control characters, bytes that are not UTF-8 and the
/// backslash are escaped as \n, \t, \x1b, \\ and so on. All other characters are kept.
std::string printable(std::string_view text);

/// Returns the length in bytes of the first character of `text`. Returns 0 if that is a control character or no valid
/// UTF-8, and for an empty text.
std::size_t printable_char_length(std::string_view text);

/// Converts the ASCII letters A to Z to lower case and keeps everything else.
std::string lower_case(std::string_view text);

/// Converts a message, for example of another library, to one line: ASCII control characters become spaces, and spaces
/// at both ends are removed.
std::string one_line(std::string_view text);

/// Replaces & < > " by entities such as &amp; for text or double-quoted attributes of HTML and XML.
std::string escape_markup(std::string_view text);

/// Parses a size such as "1G", "640M", "1.5GiB", "3 MB", "4096B". K, M, G, T and KiB ... TiB are powers of 1024, KB ...
/// TB are powers of 1000, B is bytes; a fraction of a byte is dropped. A number without a unit is refused, except 0.
/// Ignores case and locale. Errors: invalid_argument.
Result<Bytes> parse_bytes(std::string_view text);

/// Parses a finite number above zero; the decimal separator is a point. Errors: invalid_argument.
Result<double> parse_positive(std::string_view text);

/// Parses a whole number from `low` to `high`. Errors: invalid_argument, with the bounds.
Result<int> parse_integer(std::string_view text, int low, int high);

}  // namespace weir
