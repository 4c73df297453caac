#include "media/picture/metadata.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::media {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112, kXResolutionTag = 0x011a, kYResolutionTag = 0x011b,
                        kResolutionUnitTag = 0x0128;
constexpr std::uint16_t kNoUnit = 1, kCentimetre = 3;  // anything else is inches
constexpr char kExifPrefix[] = "Exif\0";               // with the terminating zero: six bytes
constexpr std::size_t kEntryBytes = 12, kValueOffset = 8;

// Where the value of a tag of the first directory stands in the block.
std::optional<std::size_t> find_tag(std::span<const std::byte> exif, std::uint16_t tag) {
  const TiffNumbers numbers{exif};
  if (!numbers.has_header()) return std::nullopt;
  const std::size_t directory = numbers.u32(4);
  if (directory + 2 > exif.size()) return std::nullopt;
  const std::size_t entries = numbers.u16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > exif.size()) return std::nullopt;
    if (numbers.u16(entry) == tag) return entry + kValueOffset;
  }
  return std::nullopt;
}

// A fraction, which stands elsewhere in the block; 0 if it is none.
double rational(std::span<const std::byte> exif, std::uint16_t tag) {
  const auto at = find_tag(exif, tag);
  if (!at) return 0;
  const TiffNumbers numbers{exif};
  const std::size_t value = numbers.u32(*at);
  const auto below = numbers.u32(value + 4);
  return below == 0 ? 0 : static_cast<double>(numbers.u32(value)) / below;
}

void reset_orientation(std::span<std::byte> exif) {
  const auto at = find_tag(exif, kOrientationTag);
  if (!at) return;
  const bool little = TiffNumbers{exif}.little();
  exif[*at] = std::byte{little ? std::uint8_t{1} : std::uint8_t{0}};
  exif[*at + 1] = std::byte{little ? std::uint8_t{0} : std::uint8_t{1}};
}

}  // namespace

std::size_t Metadata::bytes() const {
  std::size_t sum = icc.size() + exif.size() + xmp.size() + iptc.size();
  for (const Text& text : texts) sum += text.key.size() + text.value.size() + sizeof text;
  return sum;
}

void leave_out(Metadata& found, std::string_view what, std::string_view why) {
  constexpr std::size_t kLongest = 80;
  std::string entry = fmt::format("{} ({})", printable(what.substr(0, kLongest)), why);
  if (std::find(found.left_out.begin(), found.left_out.end(), entry) != found.left_out.end()) return;
  if (found.left_out.size() < kMostLeftOut)
    found.left_out.push_back(std::move(entry));
  else
    ++found.more_left_out;
}

void keep_text(Metadata& found, Text text) {
  std::size_t held = text.value.size() + found.iptc.size();
  for (const Text& each : found.texts) held += each.value.size();
  if (held <= kMostTextBytes && found.texts.size() < kMostTexts)
    found.texts.push_back(std::move(text));
  else
    leave_out(found, "text " + text.key, "more text than is carried");
}

TiffNumbers::TiffNumbers(std::span<const std::byte> block)
    : block_{block}, little_{block.size() >= 2 && block[0] == std::byte{'I'} && block[1] == std::byte{'I'}} {}

bool TiffNumbers::has_header() const {
  if (block_.size() < 8) return false;
  return (little_ || (block_[0] == std::byte{'M'} && block_[1] == std::byte{'M'})) && u16(2) == 42;
}

std::uint16_t TiffNumbers::u16(std::size_t at) const {
  if (at > block_.size() || block_.size() - at < 2) return 0;
  const auto a = std::to_integer<unsigned>(block_[at]), b = std::to_integer<unsigned>(block_[at + 1]);
  return static_cast<std::uint16_t>(little_ ? a | b << 8 : a << 8 | b);
}

std::uint32_t TiffNumbers::u32(std::size_t at) const {
  const std::uint32_t a = u16(at), b = u16(at + 2);
  return little_ ? a | b << 16 : a << 16 | b;
}

Blob exif_body(std::span<const std::byte> raw) {
  if (raw.size() >= sizeof kExifPrefix && std::memcmp(raw.data(), kExifPrefix, sizeof kExifPrefix) == 0)
    raw = raw.subspan(sizeof kExifPrefix);
  if (!TiffNumbers{raw}.has_header()) return {};
  return Blob(raw.begin(), raw.end());
}

Blob exif_with_prefix(std::span<const std::byte> exif) {
  Blob out(sizeof kExifPrefix + exif.size());
  std::memcpy(out.data(), kExifPrefix, sizeof kExifPrefix);
  std::copy(exif.begin(), exif.end(), out.begin() + sizeof kExifPrefix);
  return out;
}

int exif_orientation(std::span<const std::byte> exif) {
  const auto at = find_tag(exif, kOrientationTag);
  const int value = at ? TiffNumbers{exif}.u16(*at) : 1;
  return value >= 1 && value <= 8 ? value : 1;
}

std::optional<std::uint32_t> tiff_number(std::span<const std::byte> block, std::uint16_t tag) {
  constexpr std::uint16_t kExifShort = 3, kExifLong = 4;
  const auto at = find_tag(block, tag);
  if (!at) return std::nullopt;
  const TiffNumbers numbers{block};
  const auto type = numbers.u16(*at - 6);  // an entry is tag, type, count, value
  if (type == kExifShort) return numbers.u16(*at);
  return type == kExifLong ? std::optional{numbers.u32(*at)} : std::nullopt;
}

bool exif_has_resolution(std::span<const std::byte> exif) { return rational(exif, kXResolutionTag) > 0; }

int settle(Metadata& found) {
  const int orientation = exif_orientation(found.exif);
  reset_orientation(found.exif);
  if (found.dots_per_mm_x <= 0 || found.dots_per_mm_y <= 0) {
    const auto unit = find_tag(found.exif, kResolutionUnitTag);
    const auto kind = unit ? TiffNumbers{found.exif}.u16(*unit) : std::uint16_t{0};
    if (kind == kNoUnit) return orientation;  // only the shape of a pixel
    const double mm = kind == kCentimetre ? 10 : 25.4;
    found.dots_per_mm_x = rational(found.exif, kXResolutionTag) / mm;
    found.dots_per_mm_y = rational(found.exif, kYResolutionTag) / mm;
    if (found.dots_per_mm_y <= 0) found.dots_per_mm_x = 0;
  }
  return orientation;
}

bool profile_fits(std::span<const std::byte> icc, int colours) {
  constexpr std::size_t kHeader = 128, kSpaceAt = 16;
  return icc.size() > kHeader && std::memcmp(icc.data() + kSpaceAt, colours == 1 ? "GRAY" : "RGB ", 4) == 0;
}

}  // namespace weir::media
