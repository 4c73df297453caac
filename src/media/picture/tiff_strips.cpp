#include "media/picture/tiff_strips.hpp"

#include <algorithm>

#include "media/picture/metadata.hpp"

namespace weir::media {
namespace {

constexpr std::uint16_t kRowsPerStrip = 278, kTileLength = 323;  // tag numbers
constexpr std::uint16_t kShort = 3;                              // type of 16-bit integers

}  // namespace

std::uint32_t read_tiff_rows_per_strip(const InputFile& file) {
  Blob head(8);
  auto got = file.read_at(0, head);
  if (!got || *got < head.size()) return 0;
  const TiffNumberReader header{head};
  if (!header.has_header()) return 0;
  Blob count(2);
  const std::uint64_t at = header.u32(4);
  if (!file.read_at(at, count)) return 0;
  // These bytes have no header of their own, so the byte order of the file header is passed.
  const std::size_t entries = TiffNumberReader{count, header.is_little_endian()}.u16(0);
  Blob directory(entries * 12);
  got = file.read_at(at + 2, directory);
  if (!got || *got < directory.size()) return 0;
  const TiffNumberReader numbers{directory, header.is_little_endian()};
  // An entry has 12 bytes: tag (2), type (2), count (4), value (4).
  for (std::size_t entry = 0; entry < directory.size(); entry += 12) {
    const auto tag = numbers.u16(entry);
    if (tag != kRowsPerStrip && tag != kTileLength) continue;
    return numbers.u16(entry + 2) == kShort ? numbers.u16(entry + 8) : numbers.u32(entry + 8);
  }
  return 0;
}

}  // namespace weir::media
