#include "media/jpeg_markers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

#include "media/text_codec.hpp"

namespace weir::media {
namespace {

using namespace std::string_view_literals;
constexpr auto kExif = "Exif\0\0"sv;                       // EXIF 2.3, 4.7.2
constexpr auto kXmp = "http://ns.adobe.com/xap/1.0/\0"sv;  // XMP specification part 3, "JPEG"
constexpr auto kPhotoshop = "Photoshop 3.0\0"sv;           // IPTC-NAA stands in an image resource
constexpr auto kIcc = "ICC_PROFILE\0"sv;                   // ICC.1:2010, B.4; then the piece's number and the count
constexpr std::size_t kSegmentLimit = 65533;

using Piece = std::span<const std::byte>;

bool starts(Piece data, std::string_view text) {
  return data.size() >= text.size() && std::memcmp(data.data(), text.data(), text.size()) == 0;
}

Blob join_icc(const std::array<Piece, 256>& pieces, std::size_t count) {
  Blob profile;
  for (std::size_t i = 1; i <= count; ++i) {
    if (pieces[i].empty()) return {};
    profile.insert(profile.end(), pieces[i].begin(), pieces[i].end());
  }
  return profile;
}

Blob with_prefix(std::string_view prefix, const Blob& body) {
  if (prefix.size() + body.size() > kSegmentLimit) return {};
  Blob segment(prefix.size() + body.size());
  std::memcpy(segment.data(), prefix.data(), prefix.size());
  std::copy(body.begin(), body.end(), segment.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
  return segment;
}

}  // namespace

void collect_jpeg_markers(jpeg_saved_marker_ptr first, Metadata& into) {
  std::array<Piece, 256> pieces{};
  std::size_t count = 0;
  for (auto* marker = first; marker != nullptr; marker = marker->next) {
    const Piece data{reinterpret_cast<const std::byte*>(marker->data), marker->data_length};
    if (marker->marker == JPEG_APP0 + 2 && starts(data, kIcc) && data.size() > kIcc.size() + 2) {
      const auto number = std::to_integer<std::size_t>(data[kIcc.size()]);
      count = std::to_integer<std::size_t>(data[kIcc.size() + 1]);
      pieces[number] = data.subspan(kIcc.size() + 2);
    }
  }
  into.icc = join_icc(pieces, count);
}

Blob jpeg_exif_segment(const Blob& exif) { return with_prefix(kExif, exif); }
Blob jpeg_xmp_segment(const Blob& xmp) { return with_prefix(kXmp, xmp); }
Blob jpeg_iptc_segment(const Blob& iptc) { return with_prefix(kPhotoshop, resources_of_iptc(iptc)); }

}  // namespace weir::media
