#pragma once

#include <string>

namespace weir::media {

/// A part of a picture that is not as its file was to have it, in rows of the file's own order.
struct Damage {
  enum class Kind {
    filled,     ///< the rows, or parts of them, are not in the file
    doubtful,   ///< they are, but may be wrong
    low_detail  ///< detail or colour of them is missing
  };
  Kind kind = Kind::filled;
  int first_row = 0, row_count = 0;  ///< rows; count at least 1
  std::string reason;                ///< "the file ends early"
};

/// "the last 20 of 72 rows are filled: the file ends early", in rows or columns of the picture as it is seen.
/// `height`: rows of the file; `orientation`: 1 to 8, as in EXIF.
std::string to_text(const Damage& damage, int height, int orientation);

/// Why a file cannot be decoded any further, from a decoder's message about it: without the place in front and the advice
/// behind.
std::string extract_reason(const std::string& message, const std::string& file_name);

}  // namespace weir::media
