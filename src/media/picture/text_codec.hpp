#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/picture/metadata.hpp"

namespace weir::media {

/// The same bytes, as text.
inline std::string_view chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string utf8_of_latin1(std::string_view bytes);
/// Nothing if a character has no place in Latin-1, or the text is no UTF-8.
std::optional<std::string> latin1_of_utf8(std::string_view text);
/// Text of an unknown encoding: as it is if it is UTF-8, else taken for Latin-1.
std::string utf8_of_unknown(std::string_view bytes);

/// The bytes of a zlib stream. Nothing if it is damaged or gives more than `limit` bytes.
std::optional<Blob> inflated(std::span<const std::byte> packed, std::size_t limit);

/// ImageMagick's way to put a block into a PNG text: a line with its name, one with its length, and hexadecimal digits.
/// Source: ImageMagick's "Raw profile type NAME" texts as ExifTool's tag tables describe them (PNG TextualData).
/// Nothing if the text is none or is damaged.
std::optional<Blob> raw_profile(std::string_view text);

/// The records of IPTC-IIM in the image resources of Photoshop (JPEG's APP13 behind its name, TIFF's tag 34377).
/// other   gets the number of each other resource
/// Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks"; 0x0404 is IPTC-NAA
Blob iptc_of_resources(std::span<const std::byte> resources, std::vector<int>& other);
/// Notes how many resources are not carried.
void leave_out_resources(Metadata& found, const std::vector<int>& other);
/// The opposite: resources that hold IPTC alone.
Blob resources_of_iptc(const Blob& iptc);

}  // namespace weir::media
