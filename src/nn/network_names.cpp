#include "nn/network_names.hpp"

#include <algorithm>
#include <string>

#include "base/text.hpp"

namespace weir::nn {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

bool contains(std::string_view name, std::string_view part) { return name.find(part) != std::string_view::npos; }

/// Returns the digit at offset `at` of the name, if no other digit follows: the 15 of "noise15" is a standard
/// deviation, not a level.
std::optional<int> level_at(std::string_view name, std::size_t at) {
  if (at >= name.size() || !is_digit(name[at]) || (at + 1 < name.size() && is_digit(name[at + 1]))) return std::nullopt;
  return name[at] - '0';
}

/// Returns the level of "denoise3x".
std::optional<int> denoise_level(std::string_view name) {
  constexpr std::string_view kWord = "denoise";
  const std::size_t at = name.find(kWord);
  if (at == name.npos) return std::nullopt;
  const std::size_t digit = at + kWord.size();
  const auto level = level_at(name, digit);
  return level && digit + 1 < name.size() && name[digit + 1] == 'x' ? level : std::nullopt;
}

/// Returns the level of "noise1" if "noise" begins a word; "denoise1" does not match.
std::optional<int> noise_level(std::string_view name) {
  constexpr std::string_view kWord = "noise";
  const std::size_t at = name.find(kWord);
  if (at == name.npos || (at > 0 && is_letter(name[at - 1]))) return std::nullopt;
  return level_at(name, at + kWord.size());
}

/// Returns `scale` if a network of this scale is supported, otherwise nothing.
std::optional<int> checked_scale(int scale) {
  return scale >= 1 && scale <= kLargestScale ? std::optional{scale} : std::nullopt;
}

/// Returns the number of one or two digits at offset `at`; nothing if there is no digit, or if there are more. Sets
/// `end` to the offset behind the number and a following ".0".
std::optional<int> number_at(std::string_view name, std::size_t at, std::size_t& end) {
  constexpr std::size_t kTooManyDigits = 3;
  end = at;
  int number = 0;
  while (end < name.size() && is_digit(name[end]) && end < at + kTooManyDigits)
    number = number * 10 + (name[end++] - '0');
  if (end == at || end == at + kTooManyDigits) return std::nullopt;
  if (name.substr(end).starts_with(".0")) end += 2;
  return number;
}

/// Returns the scale of "2x" at the beginning of the name, or after "up", "scale" or a separator; "denoise1x" is not a
/// scale.
std::optional<int> scale_before_x(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!is_digit(name[at]) || (at > 0 && (is_digit(name[at - 1]) || name[at - 1] == '.'))) continue;
    const std::string_view before = name.substr(0, at);
    const bool starts_word =
        before.empty() || before.ends_with("up") || before.ends_with("scale") || !is_letter(before.back());
    std::size_t end = 0;
    const auto number = number_at(name, at, end);
    if (starts_word && number && end < name.size() && name[end] == 'x') return checked_scale(*number);
  }
  return std::nullopt;
}

/// Returns the scale of "x2" at the end or before a separator, and of "x4plus" and "x4v3".
std::optional<int> scale_after_x(std::string_view name) {
  for (std::size_t at = name.find('x'); at != name.npos; at = name.find('x', at + 1)) {
    std::size_t end = 0;
    const auto number = number_at(name, at + 1, end);
    const std::string_view rest = name.substr(std::min(end, name.size()));
    if (number && (rest.empty() || !is_letter(rest.front()) || rest.starts_with("plus") || rest.starts_with("v")))
      return checked_scale(*number);
  }
  return std::nullopt;
}

/// Returns the scale of names such as "ClearReality4x", which end with the number and "x". The number of a name with
/// "denoise" ("denoise3x") is a noise level.
std::optional<int> scale_at_end(std::string_view name) {
  if (!name.ends_with('x') || contains(name, "denoise")) return std::nullopt;
  std::size_t at = name.size() - 1;
  while (at > 0 && is_digit(name[at - 1])) --at;
  std::size_t end = 0;
  const auto number = number_at(name, at, end);
  return number && end == name.size() - 1 ? checked_scale(*number) : std::nullopt;
}

}  // namespace

std::optional<int> parse_noise_level(std::string_view name) {
  const std::string lower_name = lower_case(name);
  if (contains(lower_name, "conservative") || contains(lower_name, "srmdnf")) return -1;
  if (contains(lower_name, "no-denoise") || contains(lower_name, "no_denoise") || contains(lower_name, "nodenoise"))
    return 0;
  if (const auto level = denoise_level(lower_name)) return level;
  if (const auto level = noise_level(lower_name)) return level;
  // waifu2x's networks without a noise part: "scale2.0x_model".
  return lower_name.starts_with("scale") && lower_name.size() > 5 && is_digit(lower_name[5]) ? std::optional{-1}
                                                                                             : std::nullopt;
}

std::optional<int> parse_scale(std::string_view name) {
  const std::string lower_name = lower_case(name);
  if (const auto scale = scale_before_x(lower_name)) return scale;
  if (const auto scale = scale_after_x(lower_name)) return scale;
  if (const auto scale = scale_at_end(lower_name)) return scale;
  // waifu2x's networks that only remove noise: "noise1_model".
  return lower_name.starts_with("noise") && noise_level(lower_name) && contains(lower_name, "_model") ? std::optional{1}
                                                                                                      : std::nullopt;
}

}  // namespace weir::nn
