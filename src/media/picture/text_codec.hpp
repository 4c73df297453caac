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
inline std::string_view as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string latin1_to_utf8(std::string_view bytes);
/// Nothing if a character has no place in Latin-1, or the text is no UTF-8.
std::optional<std::string> utf8_to_latin1(std::string_view text);
/// Text of an unknown encoding: as it is if it is UTF-8, else taken for Latin-1.
std::string unknown_to_utf8(std::string_view bytes);

/// The bytes of a zlib stream. Nothing if it is damaged or gives more than `limit` bytes.
std::optional<Blob> inflate_zlib(std::span<const std::byte> packed, std::size_t limit);

/// ImageMagick's way to put a block into a PNG text: a line with its name, one with its length, and hexadecimal digits.
/// Source: ImageMagick's "Raw profile type NAME" texts as ExifTool's tag tables describe them (PNG TextualData).
/// Nothing if the text is none or is damaged.
std::optional<Blob> decode_raw_profile(std::string_view text);

/// The records of IPTC-IIM in the image resources of Photoshop (JPEG's APP13 behind its name, TIFF's tag 34377).
/// other   gets the number of each other resource
/// Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks"; 0x0404 is IPTC-NAA
Blob extract_iptc(std::span<const std::byte> resources, std::vector<int>& other_ids);
/// Notes how many resources are not carried.
void record_omitted_resources(Metadata& metadata, const std::vector<int>& other_ids);
/// The opposite: resources that hold IPTC alone.
Blob make_iptc_resources(const Blob& iptc);

}  // namespace weir::media
