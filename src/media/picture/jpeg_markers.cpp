#include "media/picture/jpeg_markers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "media/picture/text_codec.hpp"

namespace weir::media {
namespace {

using namespace std::string_view_literals;
constexpr auto kExif = "Exif\0\0"sv;          // EXIF 2.3, 4.7.2
constexpr std::size_t kSegmentLimit = 65533;  // bytes; the length has 16 bits and counts itself
constexpr int kStartOfScan = 0xda;            // ITU-T T.81, table B.1

/// Returns prefix and body together, or an empty blob if they are too long for a segment.
Blob with_prefix(std::string_view prefix, const Blob& body) {
  if (prefix.size() + body.size() > kSegmentLimit) return {};
  Blob segment(prefix.size() + body.size());
  std::memcpy(segment.data(), prefix.data(), prefix.size());
  std::copy(body.begin(), body.end(), segment.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
  return segment;
}

}  // namespace

// Finds markers as libjpeg does: it skips bytes before a marker, and 0xff may pad a marker.
std::uint64_t count_jpeg_saved_bytes(const InputFilePtr& file, int marker, std::uint64_t limit) {
  constexpr std::uint64_t kBytesPerSegment = 64;  // bytes that libjpeg needs for a saved segment besides its content
  constexpr int kEndOfFile = -1;
  InputCursor input{file};
  std::array<std::byte, 4096> body;
  const auto next_byte = [&] {
    return input.read(std::span{body}.first(1)) ? std::to_integer<int>(body[0]) : kEndOfFile;
  };
  std::uint64_t sum = 0;
  for (int previous = 0, byte = next_byte(); byte != kEndOfFile && sum <= limit; previous = byte, byte = next_byte()) {
    // no marker, or a marker without a length
    if (previous != 0xff || byte == 0 || byte == 0xff || byte == 0x01 || (byte >= 0xd0 && byte <= 0xd8)) continue;
    if (byte == JPEG_EOI || byte == kStartOfScan) break;
    const int high = next_byte(), low = next_byte();
    if (low == kEndOfFile || high * 256 + low < 2) break;
    std::size_t remaining = static_cast<std::size_t>(high * 256 + low - 2);
    if (byte == marker) sum += remaining + kBytesPerSegment;
    for (std::size_t count = 0; remaining > 0; remaining -= count) {
      count = std::min(remaining, body.size());
      if (!input.read(std::span{body}.first(count))) return sum;
    }
    byte = 0;  // so that the last byte of the content is not taken for the first byte of a marker
  }
  return sum;
}

Blob make_jpeg_exif_segment(const Blob& exif) { return with_prefix(kExif, exif); }
Blob make_jpeg_xmp_segment(const Blob& xmp) { return with_prefix(kJpegXmp, xmp); }
Blob make_jpeg_iptc_segment(const Blob& iptc) { return with_prefix(kJpegPhotoshop, make_iptc_resources(iptc)); }

}  // namespace weir::media
