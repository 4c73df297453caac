#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "media/picture/decoder.hpp"
#include "media/picture/encoder.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {

/// How a format is written, and which data it can store. (All writable formats can store grey and RGB of 8 bits, ICC,
/// EXIF, XMP and a resolution; JPEG XL stores the resolution only in EXIF.)
struct WriteSupport {
  Status (*encode)(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
  MediaNeed (*need)(const PictureInfo& picture, int quality);  ///< returns the memory of the encoder
  bool lossless = false;                                       ///< the format is lossless at any quality
  int max_side_px = 1 << 24;                                   ///< largest width or height in pixels
  /// stores alpha; otherwise the writer composes pixels over white
  bool alpha = true;
  bool sixteen_bits = false;  ///< stores samples of 16 bits
  bool colour_info = false;   ///< stores ColourInfo; for other formats it becomes an ICC profile if possible
  bool texts = false;         ///< stores any number of TextEntry, with any key
  /// longest comment, for formats that store comments but no other texts; 0: stores none
  std::size_t max_comment_bytes = 0;
  bool iptc = false;           ///< stores IPTC records
  bool modified_time = false;  ///< stores Metadata::modified_time
};

/// The description of a picture format. picture_format.cpp has a table with one entry for each format. Code outside of
/// the decoders and encoders uses this table and does not distinguish formats itself.
struct PictureFormat {
  Format format;
  std::array<std::string_view, 4> names;  ///< extensions; the first one is the short name; empty entries are unused
  std::string_view title;                 ///< name for sentences: "JPEG XL"
  /// Returns whether a file that starts with the bytes `head` has this format. `head` has kSniffBytes bytes, or all
  /// bytes of a shorter file. sniff_format() calls it only if no earlier format of the table matches.
  bool (*sniff)(std::span<const std::byte> head);
  /// Reads the header and the metadata and returns the decoder. Errors: those of PictureReader::open().
  Result<DecoderPtr> (*open)(InputFilePtr file, const ReadOptions& options);
  std::optional<WriteSupport> write_support = {};  ///< empty: the format can only be read
};

/// Returns the table entry of a format.
const PictureFormat& find_format(Format format);

/// The number of bytes at the start of a file that PictureFormat::sniff gets.
inline constexpr std::size_t kSniffBytes = 64;
/// Finds the format by the first bytes of a file; the file name has no influence. `head` has at least kSniffBytes
/// bytes, or all bytes of a shorter file. Returns null for an unknown format.
const PictureFormat* sniff_format(std::span<const std::byte> head);

/// Lists the titles of all formats, such as "PNG, JPEG and GIF".
std::string list_format_titles();
/// Lists the names of the writable formats for which `holds` returns true, such as "png or tiff".
std::string list_formats_with(bool (*holds)(const WriteSupport&));

}  // namespace weir::media
