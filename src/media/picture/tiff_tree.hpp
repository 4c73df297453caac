#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// One entry of a TIFF directory. Source: TIFF 6.0, section 2; EXIF 2.3, 4.6.2.
struct TiffTag {
  std::uint16_t tag = 0, type = 0;
  std::uint32_t count = 0;
  Blob value;  ///< in the byte order of the file it came from
};

struct TiffSubdirectory;

/// A directory with those that it points to (EXIF, GPS, Interoperability).
struct TiffDirectory {
  bool little_endian = true;
  bool has_next = false;  ///< another directory comes behind it; in EXIF that of the thumbnail
  std::vector<TiffTag> tags;
  std::vector<TiffSubdirectory> subdirectories;

  const TiffTag* find(std::uint16_t tag) const;
  std::vector<double> read_numbers(
      std::uint16_t tag) const;  ///< whole numbers and fractions; empty if there is no such tag
};

/// A directory by the tag that points there.
struct TiffSubdirectory {
  std::uint16_t tag = 0;
  TiffDirectory directory;
};

inline constexpr std::uint16_t kExifPointer = 0x8769, kGpsPointer = 0x8825, kInteropPointer = 0xa005;

/// The first directory of a TIFF or BigTIFF file. Values beyond 64 KiB come without their bytes, as do those beyond
/// kMostTextBytes together. Nothing if there is no header or no directory.
std::optional<TiffDirectory> read_tiff_tree(const InputFile& file);
/// The same of an EXIF block.
std::optional<TiffDirectory> read_tiff_tree(std::span<const std::byte> block);

/// The tags of one EXIF block, in its first directory and those below, that another one has not. The
/// orientation is passed over: it is 1.
std::vector<std::uint16_t> find_missing_tags(std::span<const std::byte> original, std::span<const std::byte> copy);

/// The directories' bytes as they stand at offset `at` of a file; the first one starts there. Values keep their byte order.
Blob write_tiff_tree(const TiffDirectory& tree, std::uint32_t at);

/// Turns the numbers of all values around if they are not in the order `little`. What has no type (UNDEFINED) stays.
void set_byte_order(TiffDirectory& tree, bool little);

}  // namespace weir::media
