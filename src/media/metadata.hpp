#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/picture.hpp"

namespace weir::media {

using Blob = std::vector<std::byte>;

/// What a picture says about itself beside its samples, in one form for all formats.
struct Metadata {
  Blob icc;   ///< an ICC profile; empty: none
  Blob exif;  ///< starts with the TIFF header ("II*\0" or "MM\0*"); the orientation in it is 1
  Blob xmp;   ///< an XML packet, UTF-8
  double dots_per_mm_x = 0, dots_per_mm_y = 0;  ///< 0: not known
};

/// Numbers of a TIFF block (EXIF is one) in its own byte order; reads beyond the end give 0.
class TiffNumbers {
 public:
  /// The block starts with the header, which tells the order.
  explicit TiffNumbers(std::span<const std::byte> block);
  TiffNumbers(std::span<const std::byte> block, bool little) : block_{block}, little_{little} {}
  bool has_header() const;
  bool little() const { return little_; }
  std::uint16_t u16(std::size_t at) const;
  std::uint32_t u32(std::size_t at) const;

 private:
  std::span<const std::byte> block_;
  bool little_;
};

/// Cuts the "Exif\0\0" that JPEG and WebP put in front. Returns an empty blob if what remains has no TIFF header.
Blob exif_body(std::span<const std::byte> raw);
Blob exif_with_prefix(std::span<const std::byte> exif);

/// The orientation, 1 to 8, that an EXIF block asks for; 1 if it says none or is damaged.
/// Source: EXIF 2.3 (JEITA CP-3451C), tag 0x0112 in the first directory.
int exif_orientation(std::span<const std::byte> exif);

/// Whether the block tells the resolution (tags 0x011a, 0x011b, 0x0128 of the first directory).
bool exif_has_resolution(std::span<const std::byte> exif);

/// Makes what was found in a file ready to be carried: the orientation in the EXIF block becomes 1, since the rows will
/// be turned, and a resolution that stands only there is taken from there. Returns the orientation as it was.
int settle(Metadata& found);

/// Whether an ICC profile is for samples of this many colours (1: grey, 3: RGB).
/// Source: ICC.1:2010, 7.2.6: the data colour space, bytes 16 to 19 of the header
bool profile_fits(std::span<const std::byte> icc, int colours);

/// The width and height of a picture after orientation 5 to 8 are exchanged.
inline bool is_transposed(int orientation) { return orientation >= 5 && orientation <= 8; }

}  // namespace weir::media
