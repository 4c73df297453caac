#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/picture/metadata.hpp"

namespace weir::media {

/// Returns a view of `bytes` as characters, without a copy.
inline std::string_view as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Converts Latin-1 to UTF-8.
std::string latin1_to_utf8(std::string_view bytes);
/// Converts UTF-8 to Latin-1.
/// Returns nothing if a character does not exist in Latin-1, or if the text is not valid UTF-8.
std::optional<std::string> utf8_to_latin1(std::string_view text);
/// Converts text of unknown encoding to UTF-8. Valid UTF-8 stays as it is; any other text is taken as Latin-1.
std::string unknown_to_utf8(std::string_view bytes);

/// Decompresses a zlib stream. Returns nothing if it is damaged or the result has more than `limit` bytes.
std::optional<Blob> inflate_zlib(std::span<const std::byte> packed, std::size_t limit);

/// Decodes a metadata block that ImageMagick stored in a PNG text: a line with its name, a line with its length, and
/// hexadecimal digits. Returns nothing if the text is damaged or has another form.
/// Source: ImageMagick's "Raw profile type NAME" texts as ExifTool's tag tables describe them (PNG TextualData).
std::optional<Blob> decode_raw_profile(std::string_view text);

/// Returns the IPTC-IIM records in the image resources of Photoshop, which are a list of data blocks with identifiers;
/// empty if there are none. Files contain them in JPEG's segment APP13 and in TIFF's tag 34377.
/// other_ids  the identifiers of all other resources are added to it
/// Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks"; 0x0404 is IPTC-NAA
Blob extract_iptc(std::span<const std::byte> resources, std::vector<int>& other_ids);
/// Records as an omission the number of image resources that weir does not copy. `other_ids` comes from extract_iptc().
/// A checksum of the IPTC records does not count.
void record_omitted_resources(Metadata& metadata, const std::vector<int>& other_ids);
/// Makes image resources of Photoshop that contain only the IPTC records `iptc`.
Blob make_iptc_resources(const Blob& iptc);

}  // namespace weir::media
