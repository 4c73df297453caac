#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace weir {
namespace {

/// Returns the length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none. Bounds: Unicode 15,
/// table 3-7.
std::size_t utf8_length(std::string_view text) {
  const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte_at(0);
  const std::size_t length = lead < 0x80                    ? 1
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                             : (lead & 0xF0) == 0xE0        ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte_at(1) < 0xA0) || (lead == 0xF0 && byte_at(1) < 0x90);
  // U+D800 to U+DFFF, or above U+10FFFF
  const bool outside = (lead == 0xED && byte_at(1) > 0x9F) || (lead == 0xF4 && byte_at(1) > 0x8F);
  return overlong || outside ? 0 : length;
}

/// Returns whether the character is an ASCII control, DEL or a C1 control (U+0080 to U+009F), which terminals obey too.
bool is_control(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0);
}

void append_escaped(std::string& out, char byte) {
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Returns the bytes per unit; 0 for an unknown unit.
double unit_size(std::string_view unit) {
  if (unit.empty()) return 0;
  if (unit == "b") return 1;
  constexpr std::string_view kPrefixes = "kmgt";
  const std::size_t power = kPrefixes.find(unit[0]);
  if (power == std::string_view::npos) return 0;
  const std::string_view rest = unit.substr(1);
  if (rest.empty() || rest == "ib") return std::pow(1024.0, static_cast<double>(power + 1));
  return rest == "b" ? std::pow(1000.0, static_cast<double>(power + 1)) : 0;
}

Error bad_size(std::string_view text) {
  return {Errc::invalid_argument,
          fmt::format("'{}' is not a size; write 640M, 1G, 1.5GiB, or 4096B for bytes", printable(text))};
}

Error missing_unit(std::string_view text) {
  return {Errc::invalid_argument, fmt::format("{0} what? Write {0}M (MiB), {0}G (GiB), or {0}B (bytes)", text)};
}

}  // namespace

std::size_t printable_char_length(std::string_view text) {
  const std::size_t length = text.empty() ? 0 : utf8_length(text);
  return length == 0 || is_control(text.substr(0, length)) ? 0 : length;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = printable_char_length(text);
    if (length == 0 || text[0] == '\\') {
      const std::size_t bytes = std::max<std::size_t>(utf8_length(text), 1);
      for (const char byte : text.substr(0, bytes)) append_escaped(out, byte);
      text.remove_prefix(bytes);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string lower{text};
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return lower;
}

std::string one_line(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) c = ' ';
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out.substr(std::min(out.find_first_not_of(' '), out.size()));
}

Result<Bytes> parse_bytes(std::string_view text) {
  double count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count, std::chars_format::fixed);
  if (problem != std::errc{} || !std::isfinite(count) || count < 0) return bad_size(text);
  std::string unit;
  for (const char c : text.substr(static_cast<std::size_t>(end - text.data()))) {
    if (c != ' ' || !unit.empty()) unit += lower(c);
  }
  if (unit.empty() && count == 0) return Bytes{};
  if (unit.empty()) return missing_unit(text.substr(0, static_cast<std::size_t>(end - text.data())));
  const double bytes_per_unit = unit_size(unit);
  const double bytes = count * bytes_per_unit;
  constexpr double kMaxBytes = 9.2e18;  // just below 2^63: a size also fits into a signed number of 64 bits
  if (bytes_per_unit == 0 || bytes >= kMaxBytes) return bad_size(text);
  return Bytes{static_cast<std::uint64_t>(bytes)};
}

Result<double> parse_positive(std::string_view text) {
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, problem] = std::from_chars(text.data(), last, value);
  if (problem == std::errc{} && end == last && std::isfinite(value) && value > 0) return value;
  return Error{Errc::invalid_argument, fmt::format("'{}' is not a number above 0", printable(text))};
}

Result<int> parse_integer(std::string_view text, int low, int high) {
  int value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, problem] = std::from_chars(text.data(), last, value);
  if (problem == std::errc{} && end == last && value >= low && value <= high) return value;
  return Error{Errc::invalid_argument,
               fmt::format("'{}' is not a whole number from {} to {}", printable(text), low, high)};
}

}  // namespace weir
