#include "media/metadata.hpp"

#include <algorithm>
#include <cstring>

namespace weir::media {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::size_t kEntryBytes = 12, kValueOffset = 8;

// Where the orientation's value stands in the block.
std::optional<std::size_t> find_orientation(std::span<const std::byte> exif) {
  const TiffNumbers numbers{exif};
  if (!numbers.has_header()) return std::nullopt;
  const std::size_t directory = numbers.u32(4);
  if (directory + 2 > exif.size()) return std::nullopt;
  const std::size_t entries = numbers.u16(directory);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto entry = directory + 2 + i * kEntryBytes;
    if (entry + kEntryBytes > exif.size()) return std::nullopt;
    if (numbers.u16(entry) == kOrientationTag) return entry + kValueOffset;
  }
  return std::nullopt;
}

}  // namespace

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
  constexpr char kPrefix[] = "Exif\0";  // with the terminating zero: six bytes
  if (raw.size() >= sizeof kPrefix && std::memcmp(raw.data(), kPrefix, sizeof kPrefix) == 0)
    raw = raw.subspan(sizeof kPrefix);
  if (!TiffNumbers{raw}.has_header()) return {};
  return Blob(raw.begin(), raw.end());
}

int exif_orientation(std::span<const std::byte> exif) {
  const auto at = find_orientation(exif);
  const int value = at ? TiffNumbers{exif}.u16(*at) : 1;
  return value >= 1 && value <= 8 ? value : 1;
}

void reset_exif_orientation(std::span<std::byte> exif) {
  const auto at = find_orientation(exif);
  if (!at) return;
  const bool little = TiffNumbers{exif}.little();
  exif[*at] = std::byte{little ? std::uint8_t{1} : std::uint8_t{0}};
  exif[*at + 1] = std::byte{little ? std::uint8_t{0} : std::uint8_t{1}};
}

}  // namespace weir::media
