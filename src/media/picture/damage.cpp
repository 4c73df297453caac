#include "media/picture/damage.hpp"

#include <string_view>

namespace weir::media {
namespace {

/// "the last 20 of 72 rows", "row 3 of 72"; `first` from 0.
std::string span_text(int first, int count, int all, const std::string& unit) {
  const std::string of = " of " + std::to_string(all);
  const std::string units = of + ' ' + unit + 's';
  if (count == all) return all == 1 ? "the only " + unit : "all " + std::to_string(all) + ' ' + unit + 's';
  const std::string number = count == 1 ? std::string{} : ' ' + std::to_string(count);
  if (first + count == all) return "the last" + number + units;
  if (first == 0) return "the first" + number + units;
  if (count == 1) return unit + ' ' + std::to_string(first + 1) + of;
  return unit + "s " + std::to_string(first + 1) + " to " + std::to_string(first + count) + of;
}

std::string_view what_became(Damage::Kind kind, bool one) {
  switch (kind) {
    case Damage::Kind::filled:
      return one ? " is filled: " : " are filled: ";
    case Damage::Kind::doubtful:
      return " may be wrong: ";
    case Damage::Kind::coarse:
      return one ? " lacks detail or colour: " : " lack detail or colour: ";
  }
  return ": ";
}

}  // namespace

std::string to_text(const Damage& damage, int height, int orientation) {
  // 3, 4: the last row of the file is seen first; 6, 7: the last row is the first column.
  const bool from_end = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int first = from_end ? height - damage.first - damage.count : damage.first;
  return span_text(first, damage.count, height, orientation >= 5 ? "column" : "row") +
         std::string{what_became(damage.kind, damage.count == 1)} + damage.why;
}

std::string reason_of(const std::string& message, const std::string& file) {
  std::string_view text = message;
  if (text.starts_with(file + ": ")) text.remove_prefix(file.size() + 2);
  if (const auto advice = text.rfind("; the file is damaged"); advice != std::string_view::npos)
    text = text.substr(0, advice);
  // The format is known, and the row is told by the damage itself.
  if (const auto place = text.rfind(": "); place != std::string_view::npos) text.remove_prefix(place + 2);
  return std::string{text};
}

}  // namespace weir::media
