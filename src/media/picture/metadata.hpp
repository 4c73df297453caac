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

using Blob = std::vector<std::byte>;

/// Bytes of an ICC profile, an EXIF block or an XMP packet that decoders keep; larger ones are not carried.
inline constexpr std::size_t kMaxMetadataBytes = std::size_t{4} << 20;

/// A word about a picture: a PNG text chunk, a comment of JPEG or GIF.
struct TextEntry {
  std::string key;    ///< PNG's keyword, 1 to 79 characters of Latin-1; kCommentKey for a comment without one
  std::string value;  ///< UTF-8
  bool is_international = false;                   ///< an iTXt chunk, which may hold the two that follow
  std::string language = {}, translated_key = {};  ///< RFC 3066; the key in that language
  bool operator==(const TextEntry&) const = default;
};
inline constexpr std::string_view kCommentKey = "Comment";

/// What the samples mean where no ICC profile says it. Source of the members: PNG (Third Edition), 11.3.2.
struct ColourInfo {
  double gamma = 0;  ///< of the encoding: 0.45455 is usual, 1 linear light; 0: not known
  std::optional<std::array<double, 8>> primaries = {};  ///< x, y of white, red, green and blue (CIE 1931)
  std::optional<std::uint8_t> srgb_intent = {};         ///< the samples are sRGB; the rendering intent, 0 to 3
  /// Primaries, transfer function, matrix and range by the numbers of ITU-T H.273; RGB has matrix 0.
  std::optional<std::array<std::uint8_t, 4>> cicp = {};
  Blob mastering_display = {};    ///< of the display it was made on: the body of PNG's mDCV; empty: none
  Blob content_light_level = {};  ///< the body of PNG's cLLI; empty: none
  bool empty() const {
    return gamma <= 0 && !primaries && !srgb_intent && !cicp && mastering_display.empty() &&
           content_light_level.empty();
  }
};

/// What a picture says about itself beside its samples, in one form for all formats. Decoders fill it; what a file holds
/// and no member can carry is named with leave_out(), so that nothing is dropped silently.
struct Metadata {
  Blob icc;   ///< an ICC profile; empty: none
  Blob exif;  ///< starts with the TIFF header ("II*\0" or "MM\0*"); the orientation in it is 1
  Blob xmp;   ///< an XML packet, UTF-8
  double dots_per_mm_x = 0, dots_per_mm_y = 0;  ///< 0: not known
  std::vector<TextEntry> texts;                 ///< in the order of the file
  Blob iptc;                                    ///< records of IPTC-IIM, each starting with 0x1c
  ColourInfo colour;
  std::optional<std::array<std::uint8_t, 7>>
      modified_time;                   ///< PNG's tIME: year (2 bytes, big-endian), month, day, h, min, s
  std::vector<std::string> omissions;  ///< by leave_out(): "frames (the first of 3)"
  std::size_t unlisted_omissions = 0;  ///< beyond kMostLeftOut

  /// Bytes that are held, for plans of memory.
  std::size_t bytes() const;
};

/// What a decoder keeps of texts, comments and IPTC of one file together; the rest is left out by name.
inline constexpr std::size_t kMaxTextBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxTexts = 256;
inline constexpr std::size_t kMaxOmissions = 16;

/// Notes that the file holds something that is not carried to any output; a second time the same is not noted.
/// `what`       "frames"; bytes that are no printable text are shown escaped
/// `why`        "the first of 3"
void record_omission(Metadata& metadata, std::string_view data_name, std::string_view reason);

/// Keeps a text, within the limits above; what is beyond is left out by its key.
void add_text(Metadata& metadata, TextEntry text);

/// Numbers of a TIFF block (EXIF is one) in its own byte order; reads beyond the end give 0.
class TiffNumberReader {
 public:
  /// The block starts with the header, which tells the order.
  explicit TiffNumberReader(std::span<const std::byte> block);
  TiffNumberReader(std::span<const std::byte> block, bool little) : block_{block}, little_endian_{little} {}
  bool has_header() const;
  bool is_little_endian() const { return little_endian_; }
  std::uint16_t u16(std::size_t at) const;
  std::uint32_t u32(std::size_t at) const;

 private:
  std::span<const std::byte> block_;
  bool little_endian_;
};

/// Cuts the "Exif\0\0" that JPEG and WebP put in front. Returns an empty blob if what remains has no TIFF header.
Blob strip_exif_prefix(std::span<const std::byte> raw);
Blob add_exif_prefix(std::span<const std::byte> exif);

/// The orientation, 1 to 8, that an EXIF block asks for; 1 if it says none or is damaged.
/// Source: EXIF 2.3 (JEITA CP-3451C), tag 0x0112 in the first directory.
int read_exif_orientation(std::span<const std::byte> exif);

/// The first value of a tag of the first directory of a TIFF block, if it is a whole number of 16 or 32 bits.
std::optional<std::uint32_t> read_tiff_number(std::span<const std::byte> block, std::uint16_t tag);

/// Whether the block tells the resolution (tags 0x011a, 0x011b, 0x0128 of the first directory).
bool exif_has_resolution(std::span<const std::byte> exif);

/// Makes what was found in a file ready to be carried: the orientation in the EXIF block becomes 1, since the rows will
/// be turned, and a resolution that stands only there is taken from there. Returns the orientation as it was.
int normalize_metadata(Metadata& metadata);

/// Whether an ICC profile is for samples of this many colours (1: grey, 3: RGB).
/// Source: ICC.1:2010, 7.2.6: the data colour space, bytes 16 to 19 of the header
bool profile_matches(std::span<const std::byte> icc, int colours);

/// The width and height of a picture after orientation 5 to 8 are exchanged.
inline bool is_transposed(int orientation) { return orientation >= 5 && orientation <= 8; }

}  // namespace weir::media
