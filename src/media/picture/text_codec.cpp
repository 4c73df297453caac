#include "media/picture/text_codec.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/round_up.hpp"

namespace weir::media {
namespace {

/// A character of UTF-8 and its length in bytes; length 0: not valid UTF-8. Source: RFC 3629, 3.
struct Character {
  std::uint32_t code = 0;
  std::size_t length = 0;
};
/// Returns the first character of a text that is not empty.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  // The first byte shows the length. 0xc0 and 0xc1 would start codes that one byte can store; from 0xf5 on the code
  // would be above the last one of Unicode.
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length == 0 || first >= 0xf5 || text.size() < length) return {};
  std::uint32_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fU);
  }
  // index: length; value: smallest code that may have this length
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, length};
}

/// Returns the value of a hexadecimal digit; -1 for other characters.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr int kIptcResource = 0x0404;
constexpr std::size_t kResourceHead = 7;  // in bytes: "8BIM" (4), the identifier (2) and the length of the name (1)

}  // namespace

std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) out.push_back(static_cast<char>(0xc0 | byte >> 6));
    out.push_back(byte < 0x80 ? c : static_cast<char>(0x80 | (byte & 0x3f)));
  }
  return out;
}

std::optional<std::string> utf8_to_latin1(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto next = first_character(text);
    if (next.length == 0 || next.code > 0xff) return std::nullopt;
    out.push_back(static_cast<char>(next.code));
    text.remove_prefix(next.length);
  }
  return out;
}

std::string unknown_to_utf8(std::string_view bytes) {
  for (auto rest = bytes; !rest.empty();) {
    const auto next = first_character(rest);
    if (next.length == 0) return latin1_to_utf8(bytes);
    rest.remove_prefix(next.length);
  }
  return std::string{bytes};
}

std::optional<Blob> inflate_zlib(std::span<const std::byte> packed, std::size_t limit) {
  constexpr std::size_t kInflateStep = std::size_t{16} << 10;
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = IGZIP_ZLIB;
  state->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(packed.data()));
  state->avail_in = static_cast<std::uint32_t>(packed.size());
  Blob out;
  for (;;) {
    const std::size_t before = out.size();
    out.resize(before + kInflateStep);
    state->next_out = reinterpret_cast<std::uint8_t*>(out.data()) + before;
    state->avail_out = kInflateStep;
    if (isal_inflate(state.get()) != ISAL_DECOMP_OK) return std::nullopt;
    out.resize(before + kInflateStep - state->avail_out);
    if (out.size() > limit) return std::nullopt;
    if (state->block_state == ISAL_BLOCK_FINISH) return out;
    if (out.size() == before) return std::nullopt;  // the data ends before the end of the stream
  }
}

std::optional<Blob> decode_raw_profile(std::string_view text) {
  while (!text.empty() && text.front() == '\n') text.remove_prefix(1);
  const auto name_end = text.find('\n');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || size > text.size() / 2) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  Blob out;
  int high = -1;  // first of the two digits of a byte; -1: not read yet
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) continue;  // line ends
    if (high >= 0) out.push_back(static_cast<std::byte>(high << 4 | digit));
    high = high >= 0 ? -1 : digit;
  }
  if (out.size() < size) return std::nullopt;
  out.resize(size);
  return out;
}

Blob extract_iptc(std::span<const std::byte> resources, std::vector<int>& other_ids) {
  Blob iptc;
  const auto number = [&](std::size_t at, std::size_t count) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<std::size_t>(resources[at + i]);
    return value;
  };
  std::size_t at = 0;
  // 5: after the head of an empty name, the byte that pads the name (1) and the size of the data (4)
  while (resources.size() - at >= kResourceHead + 5 && std::memcmp(resources.data() + at, "8BIM", 4) == 0) {
    const auto id = static_cast<int>(number(at + 4, 2));
    // size of the name in bytes, with its length byte, padded to an even number
    const std::size_t name_bytes = round_up(number(at + 6, 1) + 1, 2);
    const std::size_t size_at = at + 6 + name_bytes;
    if (size_at + 4 > resources.size()) break;
    const std::size_t size = number(size_at, 4), body = size_at + 4;
    if (size > resources.size() - body) break;
    if (id == kIptcResource && iptc.empty()) {
      const auto records = resources.subspan(body, size);
      iptc.assign(records.begin(), records.end());
    } else {
      other_ids.push_back(id);
    }
    at = std::min(resources.size(), body + size + size % 2);
  }
  return iptc;
}

void record_omitted_resources(Metadata& metadata, const std::vector<int>& other_ids) {
  constexpr int kDigest = 0x0425;  // a checksum of the IPTC records
  const auto count = std::count_if(other_ids.begin(), other_ids.end(), [](int id) { return id != kDigest; });
  if (count > 0) record_omission(metadata, "Photoshop data", fmt::format("{} resources that are not carried", count));
}

Blob make_iptc_resources(const Blob& iptc) {
  constexpr std::array<int, kResourceHead + 1> kHead{'8', 'B', 'I', 'M',
                                                     4,   4,   0,   0};  // the name is padded to two bytes
  Blob out;
  for (const int byte : kHead) out.push_back(static_cast<std::byte>(byte));
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(iptc.size() >> shift));
  out.insert(out.end(), iptc.begin(), iptc.end());
  if (iptc.size() % 2 != 0) out.push_back(std::byte{0});
  return out;
}

}  // namespace weir::media
