#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// One entry of a TIFF directory, which is a list of tags. EXIF uses the same form.
/// Source: TIFF 6.0, section 2; EXIF 2.3, 4.6.2.
struct TiffTag {
  std::uint16_t tag = 0, type = 0;  ///< number of the tag; TIFF's number of the type of its values
  std::uint32_t count = 0;          ///< number of values
  /// bytes of all values, in the byte order of the source; empty if the values were not read, see read_tiff_tree()
  Blob value;
  /// Returns whether the tag has values that were not read. Such a tag cannot be copied.
  bool is_unread() const { return count > 0 && value.empty(); }
};

struct TiffSubdirectory;

/// A directory with its subdirectories: EXIF, GPS and Interoperability.
struct TiffDirectory {
  bool little_endian = true;  ///< byte order of the values
  bool has_next = false;      ///< the file has a next directory, which is not read; in EXIF it describes the thumbnail
  std::vector<TiffTag> tags;  ///< without the tags that contain the offset of a subdirectory
  std::vector<TiffSubdirectory> subdirectories;

  /// Returns the entry with this tag number; null if there is none.
  const TiffTag* find(std::uint16_t tag) const;
  /// Returns the values of a tag whose type is SHORT, LONG or RATIONAL (a fraction); a fraction with denominator 0 is
  /// 0. Empty if there is no such tag or it has another type.
  std::vector<double> read_numbers(std::uint16_t tag) const;
};

/// A subdirectory and the number of the tag that contains its offset.
struct TiffSubdirectory {
  std::uint16_t tag = 0;
  TiffDirectory directory;
};

/// The tags that contain the offset of a subdirectory.
inline constexpr std::uint16_t kExifPointer = 0x8769, kGpsPointer = 0x8825, kInteropPointer = 0xa005;

/// Reads the first directory of a TIFF or BigTIFF file with its subdirectories. Values of 64 bits, which only BigTIFF
/// has (LONG8, SLONG8, IFD8), become values of 32 bits (LONG, SLONG, IFD). TiffTag::value is empty for tags of more
/// than 64 KiB, for tags that would make the total exceed kMaxTextBytes, and for numbers that do not fit in 32 bits.
/// Tags of an unknown type, and tags whose value is outside of the file, are left out. Only the first 4096 tags of a
/// directory, and two levels of subdirectories, are read. Returns nothing if there is no header or no directory.
std::optional<TiffDirectory> read_tiff_tree(const InputFile& file);
/// Reads the first directory of an EXIF block with its subdirectories, with the same limits.
std::optional<TiffDirectory> read_tiff_tree(std::span<const std::byte> block);

/// Removes all tags with is_unread() from the directory and its subdirectories, and returns their numbers.
std::vector<std::uint16_t> remove_unread_tags(TiffDirectory& tree);

/// Lists tag numbers for messages, such as " 0x010f 0x927c"; from the ninth number on, only their count.
std::string list_tag_numbers(std::span<const std::uint16_t> numbers);

/// Returns the numbers of the tags that the EXIF block `original` has and the block `copy` lacks, in the first
/// directory and its subdirectories. A missing thumbnail counts as tag 0x0201. The orientation does not count, because
/// it is always 1.
std::vector<std::uint16_t> find_missing_tags(std::span<const std::byte> original, std::span<const std::byte> copy);

/// Returns the bytes of `tree` with all subdirectories, to be stored at byte offset `at` of a file. The first directory
/// is at the start. The bytes have the byte order of `tree`, which must have no tags with is_unread().
Blob write_tiff_tree(const TiffDirectory& tree, std::uint32_t at);

/// Converts the values of all tags to little-endian if `little` is set, or else to big-endian. Values of types with one
/// byte per element, such as ASCII and UNDEFINED, stay unchanged.
void set_byte_order(TiffDirectory& tree, bool little);

}  // namespace weir::media
