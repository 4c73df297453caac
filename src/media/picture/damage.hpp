#pragma once

#include <string>

namespace weir::media {

/// A range of rows that the decoder could not restore exactly from a damaged file. Row 0 is the first row of the file,
/// before the orientation is applied.
struct Damage {
  enum class Kind {
    filled,     ///< the rows, or parts of them, are missing in the file and were filled
    doubtful,   ///< the rows are in the file but may be wrong
    low_detail  ///< only a part of the data of the rows was decoded: detail or colour is missing
  };
  Kind kind = Kind::filled;
  int first_row = 0, row_count = 0;  ///< row_count is at least 1 in each recorded Damage
  std::string reason;                ///< text for the user, such as "the file ends early"
};

/// Returns a text such as "the last 20 of 72 rows are filled: the file ends early". The text names rows or columns of
/// the displayed picture: orientations 3 and 4 reverse the order of the rows; 5 to 8 turn rows into columns, 6 and 7 in
/// reverse order.
/// height       total number of rows in the file
/// orientation  1 to 8, as in EXIF
std::string to_text(const Damage& damage, int height, int orientation);

/// Returns only the reason from a decoder's error message. "a.png: PNG row 3 of 9: bad data; the file is damaged, get
/// it again" becomes "bad data".
/// file_name  name of the file at the start of the message
std::string extract_reason(const std::string& message, const std::string& file_name);

}  // namespace weir::media
