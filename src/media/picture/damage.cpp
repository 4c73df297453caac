#include "media/picture/damage.hpp"

#include <string_view>

namespace weir::media {
namespace {

/// Returns a text such as "the last 20 of 72 rows" or "row 3 of 72". `first` is the index of the first row, from 0;
/// `total` is the number of rows of the picture; `unit` is "row" or "column".
std::string rows_text(int first, int count, int total, const std::string& unit) {
  const std::string of_total = " of " + std::to_string(total);
  const std::string of_total_units = of_total + ' ' + unit + 's';
  if (count == total) return total == 1 ? "the only " + unit : "all " + std::to_string(total) + ' ' + unit + 's';
  const std::string number = count == 1 ? std::string{} : ' ' + std::to_string(count);
  if (first + count == total) return "the last" + number + of_total_units;
  if (first == 0) return "the first" + number + of_total_units;
  if (count == 1) return unit + ' ' + std::to_string(first + 1) + of_total;
  return unit + "s " + std::to_string(first + 1) + " to " + std::to_string(first + count) + of_total;
}

/// Returns the middle part of the text, such as " are filled: ". `is_single`: the damage has a single row or column.
std::string_view verb_text(Damage::Kind kind, bool is_single) {
  switch (kind) {
    case Damage::Kind::filled:
      return is_single ? " is filled: " : " are filled: ";
    case Damage::Kind::doubtful:
      return " may be wrong: ";
    case Damage::Kind::low_detail:
      return is_single ? " lacks detail or colour: " : " lack detail or colour: ";
  }
  return ": ";
}

}  // namespace

std::string to_text(const Damage& damage, int height, int orientation) {
  // With orientations 3 and 4 the last row of the file is the first displayed row, with 6 and 7 the first column.
  const bool is_reversed = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int first = is_reversed ? height - damage.first_row - damage.row_count : damage.first_row;
  return rows_text(first, damage.row_count, height, orientation >= 5 ? "column" : "row") +
         std::string{verb_text(damage.kind, damage.row_count == 1)} + damage.reason;
}

std::string extract_reason(const std::string& message, const std::string& file_name) {
  std::string_view text = message;
  if (text.starts_with(file_name + ": ")) text.remove_prefix(file_name.size() + 2);
  if (const auto advice = text.rfind("; the file is damaged"); advice != std::string_view::npos)
    text = text.substr(0, advice);
  // Removes the part such as "PNG row 3 of 9": the user knows the format, and the Damage contains the row.
  if (const auto colon = text.rfind(": "); colon != std::string_view::npos) text.remove_prefix(colon + 2);
  return std::string{text};
}

}  // namespace weir::media
