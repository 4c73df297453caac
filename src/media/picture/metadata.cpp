#include "media/picture/metadata.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::media {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112, kXResolutionTag = 0x011a, kYResolutionTag = 0x011b,
                        kResolutionUnitTag = 0x0128;
constexpr std::uint16_t kNoUnit = 1, kCentimetre = 3;      // any other value means inches
constexpr char kExifPrefix[] = "Exif\0";                   // six bytes with the terminating zero
constexpr std::size_t kEntryBytes = 12, kValueOffset = 8;  // size of a directory entry; offset of its value field

// Returns the byte offset in the block of the value field of a tag in the first directory; nothing if it has no such
// tag.
std::optional<std::size_t> find_tag(std::span<const std::byte> exif, std::uint16_t tag) {
  const TiffNumberReader numbers{exif};
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

// Returns the value of a tag that is a fraction (stored outside of the directory); 0 if there is no such tag.
double read_rational(std::span<const std::byte> exif, std::uint16_t tag) {
  const auto at = find_tag(exif, tag);
  if (!at) return 0;
  const TiffNumberReader numbers{exif};
  const std::size_t value = numbers.u32(*at);
  const auto denominator = numbers.u32(value + 4);
  return denominator == 0 ? 0 : static_cast<double>(numbers.u32(value)) / denominator;
}

// Sets the orientation to 1, if the block has one.
void reset_orientation(std::span<std::byte> exif) {
  const auto at = find_tag(exif, kOrientationTag);
  if (!at) return;
  const bool little = TiffNumberReader{exif}.is_little_endian();
  exif[*at] = std::byte{little ? std::uint8_t{1} : std::uint8_t{0}};
  exif[*at + 1] = std::byte{little ? std::uint8_t{0} : std::uint8_t{1}};
}

}  // namespace

std::size_t Metadata::bytes() const {
  std::size_t sum = icc.size() + exif.size() + xmp.size() + iptc.size();
  for (const TextEntry& text : texts) sum += text.key.size() + text.value.size() + sizeof text;
  return sum;
}

void record_omission(Metadata& metadata, std::string_view data_name, std::string_view reason) {
  constexpr std::size_t kMaxNameBytes = 80;
  std::string entry = fmt::format("{} ({})", printable(data_name.substr(0, kMaxNameBytes)), reason);
  if (std::find(metadata.omissions.begin(), metadata.omissions.end(), entry) != metadata.omissions.end()) return;
  if (metadata.omissions.size() < kMaxOmissions)
    metadata.omissions.push_back(std::move(entry));
  else
    ++metadata.unlisted_omissions;
}

void add_text(Metadata& metadata, TextEntry text) {
  std::size_t total_bytes = text.value.size() + metadata.iptc.size();
  for (const TextEntry& each : metadata.texts) total_bytes += each.value.size();
  if (total_bytes <= kMaxTextBytes && metadata.texts.size() < kMaxTexts)
    metadata.texts.push_back(std::move(text));
  else
    record_omission(metadata, "text " + text.key, "the limit for all texts together is reached");
}

TiffNumberReader::TiffNumberReader(std::span<const std::byte> block)
    : block_{block}, little_endian_{block.size() >= 2 && block[0] == std::byte{'I'} && block[1] == std::byte{'I'}} {}

bool TiffNumberReader::has_header() const {
  if (block_.size() < 8) return false;
  return (little_endian_ || (block_[0] == std::byte{'M'} && block_[1] == std::byte{'M'})) && u16(2) == 42;
}

std::uint16_t TiffNumberReader::u16(std::size_t at) const {
  if (at > block_.size() || block_.size() - at < 2) return 0;
  const auto a = std::to_integer<unsigned>(block_[at]), b = std::to_integer<unsigned>(block_[at + 1]);
  return static_cast<std::uint16_t>(little_endian_ ? a | b << 8 : a << 8 | b);
}

std::uint32_t TiffNumberReader::u32(std::size_t at) const {
  const std::uint32_t a = u16(at), b = u16(at + 2);
  return little_endian_ ? a | b << 16 : a << 16 | b;
}

Blob strip_exif_prefix(std::span<const std::byte> raw) {
  if (raw.size() >= sizeof kExifPrefix && std::memcmp(raw.data(), kExifPrefix, sizeof kExifPrefix) == 0)
    raw = raw.subspan(sizeof kExifPrefix);
  if (!TiffNumberReader{raw}.has_header()) return {};
  return Blob(raw.begin(), raw.end());
}

Blob add_exif_prefix(std::span<const std::byte> exif) {
  Blob out(sizeof kExifPrefix + exif.size());
  std::memcpy(out.data(), kExifPrefix, sizeof kExifPrefix);
  std::copy(exif.begin(), exif.end(), out.begin() + sizeof kExifPrefix);
  return out;
}

int read_exif_orientation(std::span<const std::byte> exif) {
  const auto at = find_tag(exif, kOrientationTag);
  const int value = at ? TiffNumberReader{exif}.u16(*at) : 1;
  return value >= 1 && value <= 8 ? value : 1;
}

std::optional<std::uint32_t> read_tiff_number(std::span<const std::byte> block, std::uint16_t tag) {
  constexpr std::uint16_t kExifShort = 3, kExifLong = 4;
  const auto at = find_tag(block, tag);
  if (!at) return std::nullopt;
  const TiffNumberReader numbers{block};
  const auto type = numbers.u16(*at - 6);  // the type field is 6 bytes before the value field
  if (type == kExifShort) return numbers.u16(*at);
  return type == kExifLong ? std::optional{numbers.u32(*at)} : std::nullopt;
}

bool exif_has_resolution(std::span<const std::byte> exif) { return read_rational(exif, kXResolutionTag) > 0; }

int normalize_metadata(Metadata& metadata) {
  const int orientation = read_exif_orientation(metadata.exif);
  reset_orientation(metadata.exif);
  if (metadata.dots_per_mm_x <= 0 || metadata.dots_per_mm_y <= 0) {
    const auto unit_offset = find_tag(metadata.exif, kResolutionUnitTag);
    const auto unit = unit_offset ? TiffNumberReader{metadata.exif}.u16(*unit_offset) : std::uint16_t{0};
    if (unit == kNoUnit) return orientation;  // the two values are only the aspect ratio of a pixel
    const double unit_mm = unit == kCentimetre ? 10 : 25.4;
    metadata.dots_per_mm_x = read_rational(metadata.exif, kXResolutionTag) / unit_mm;
    metadata.dots_per_mm_y = read_rational(metadata.exif, kYResolutionTag) / unit_mm;
    if (metadata.dots_per_mm_y <= 0) metadata.dots_per_mm_x = 0;
  }
  return orientation;
}

bool profile_matches(std::span<const std::byte> icc, int colours) {
  constexpr std::size_t kProfileHeaderBytes = 128, kColourSpaceOffset = 16;
  return icc.size() > kProfileHeaderBytes &&
         std::memcmp(icc.data() + kColourSpaceOffset, colours == 1 ? "GRAY" : "RGB ", 4) == 0;
}

}  // namespace weir::media
