#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::media {

/// The bytes of a metadata block.
using Blob = std::vector<std::byte>;

/// The largest ICC profile, EXIF block or XMP packet, in bytes, that decoders keep. (PNG and GIF have limits of their
/// own.) Larger data is not kept but recorded as an omission.
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{4} << 20;

/// A text in a picture file: a PNG text chunk, or a comment of JPEG or GIF.
struct TextEntry {
  std::string key;                ///< PNG's keyword, 1 to 79 bytes of Latin-1; kCommentKey for comments of JPEG and GIF
  std::string value;              ///< UTF-8
  bool is_international = false;  ///< from a PNG chunk iTXt, which also stores the two members below
  std::string language = {}, translated_key = {};  ///< language tag (RFC 3066); key in that language, in UTF-8
  bool operator==(const TextEntry&) const = default;
};
/// TextEntry::key of a comment.
inline constexpr std::string_view kCommentKey = "Comment";

/// The colour space of the samples as the file declares it without an ICC profile. The members correspond to chunks of
/// PNG.
/// Source: PNG (Third Edition), 11.3.2.
struct ColourInfo {
  double gamma = 0;  ///< sample = light^gamma: 0.45455 is usual, 1 is linear light; 0: unknown
  std::optional<std::array<double, 8>> primaries = {};  ///< chromaticities: x, y of white, red, green, blue (CIE 1931)
  std::optional<std::uint8_t> srgb_intent = {};         ///< rendering intent, 0 to 3; if set, the samples are sRGB
  /// Code numbers of ITU-T H.273 for primaries, transfer function, matrix and range; RGB has matrix 0.
  std::optional<std::array<std::uint8_t, 4>> cicp = {};
  Blob mastering_display = {};    ///< properties of the mastering display: content of PNG's mDCV; empty: none
  Blob content_light_level = {};  ///< largest and average light level: content of PNG's cLLI; empty: none
  bool empty() const {
    return gamma <= 0 && !primaries && !srgb_intent && !cicp && mastering_display.empty() &&
           content_light_level.empty();
  }
};

/// The metadata of a picture, in one form for all formats. Decoders fill it. Data of a file for which there is no
/// member is called an omission. Decoders record it with record_omission(), so that the user learns what is lost.
struct Metadata {
  Blob icc;  ///< an ICC profile; empty: none
  /// EXIF block in the form of a TIFF file, from "II*\0" or "MM\0*" on; normalize_metadata() sets the orientation to 1
  Blob exif;
  Blob xmp;                                     ///< an XMP packet: XML in UTF-8
  double dots_per_mm_x = 0, dots_per_mm_y = 0;  ///< resolution; 0: unknown
  std::vector<TextEntry> texts;                 ///< in the order of the file
  Blob iptc;                                    ///< IPTC-IIM records, each starting with the byte 0x1c
  ColourInfo colour;
  std::optional<std::array<std::uint8_t, 7>>
      modified_time;                   ///< last change (UTC), as in PNG's tIME: year (two bytes), month, day, h, min, s
  std::vector<std::string> omissions;  ///< texts such as "frames (the first of 3)", at most kMaxOmissions
  std::size_t unlisted_omissions = 0;  ///< number of further omissions, which are not in `omissions`

  /// Returns the size in bytes of the data that can be large, for memory plans: ICC, EXIF, XMP, IPTC and texts.
  std::size_t bytes() const;
};

/// The limit, in bytes, that add_text() applies to all text values and the IPTC records of one file together. The
/// same number is a separate limit for all tag values of a TIFF file together, and another one for all of Photoshop's
/// data in a JPEG file.
inline constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20;
/// The largest number of texts of one file, comments included.
inline constexpr std::size_t kMaxTexts = 256;
/// The largest number of entries in Metadata::omissions.
inline constexpr std::size_t kMaxOmissions = 16;

/// Adds the entry "data_name (reason)" to metadata.omissions: the file contains data that weir does not copy. Does
/// nothing if the same entry is already there. If kMaxOmissions is reached, only increments unlisted_omissions.
/// data_name  such as "frames"; cut after 80 bytes, unprintable bytes are escaped
/// reason     such as "the first of 3"
void record_omission(Metadata& metadata, std::string_view data_name, std::string_view reason);

/// Adds a text if kMaxTextBytes and kMaxTexts allow it; otherwise records an omission with the key of the text.
void add_text(Metadata& metadata, TextEntry text);

/// Reads numbers of a TIFF block: bytes in the form of a TIFF file, such as an EXIF block. Uses the byte order of the
/// block. A read outside of the block returns 0.
class TiffNumberReader {
 public:
  /// Takes the byte order from the header at the start of `block`.
  explicit TiffNumberReader(std::span<const std::byte> block);
  /// Takes a block without a header. `little`: the numbers are little-endian, otherwise big-endian.
  TiffNumberReader(std::span<const std::byte> block, bool little) : block_{block}, little_endian_{little} {}
  /// Returns whether the block starts with a valid TIFF header. (The header of a BigTIFF is not valid here.)
  bool has_header() const;
  bool is_little_endian() const { return little_endian_; }
  // `at` is a byte offset in the block.
  std::uint16_t u16(std::size_t at) const;
  std::uint32_t u32(std::size_t at) const;

 private:
  std::span<const std::byte> block_;
  bool little_endian_;
};

/// Returns an EXIF block without the prefix "Exif\0\0" that JPEG and WebP use. `raw` is the block with or without the
/// prefix. The result is empty if the block has no TIFF header.
Blob strip_exif_prefix(std::span<const std::byte> raw);
/// Returns the EXIF block with the prefix "Exif\0\0".
Blob add_exif_prefix(std::span<const std::byte> exif);

/// Returns the orientation in an EXIF block, 1 to 8; 1 if the block has none or is damaged.
/// Source: EXIF 2.3 (JEITA CP-3451C), tag 0x0112 in the first directory.
int read_exif_orientation(std::span<const std::byte> exif);

/// Returns the first value of a tag in the first directory of a TIFF block; nothing if there is no such tag or its type
/// is not an integer of 16 or 32 bits.
std::optional<std::uint32_t> read_tiff_number(std::span<const std::byte> block, std::uint16_t tag);

/// Returns whether the EXIF block contains a horizontal resolution above 0 (tag 0x011a of the first directory).
bool exif_has_resolution(std::span<const std::byte> exif);

/// Prepares the metadata of a file for an output. Sets the orientation in the EXIF block to 1, because PictureReader
/// applies the orientation to the rows. If the resolution is unknown, takes it from the EXIF block; a resolution that
/// the block declares to have no unit is not taken. Returns the original orientation in the EXIF block, 1 to 8.
int normalize_metadata(Metadata& metadata);

/// Returns whether an ICC profile is for samples with this number of colours: 1 for grey, 3 for RGB.
/// Source: ICC.1:2010, 7.2.6: the data colour space, bytes 16 to 19 of the header
bool profile_matches(std::span<const std::byte> icc, int colours);

/// Returns whether an orientation exchanges the width and the height of a picture: 5 to 8 do.
inline bool is_transposed(int orientation) { return orientation >= 5 && orientation <= 8; }

}  // namespace weir::media
