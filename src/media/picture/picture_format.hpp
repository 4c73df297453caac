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

/// How a format is written, and what a file of it has room for beside RGB of 8 bits, ICC, EXIF, XMP and a resolution.
struct WriteSupport {
  Status (*encode)(const EncodeJob& job, RowSource& rows, ByteSink& sink, WriteReport& report);
  MediaNeed (*need)(const PictureInfo& picture, int quality);  ///< of it, beyond the rows handed over
  bool lossless = false;                                       ///< at any quality
  int max_side_px = 1 << 24;                                   ///< pixels
  bool alpha = true;                                           ///< without it pictures are flattened onto white
  bool sixteen_bits = false;                                   ///< samples of 16 bits
  bool colour_info = false;           ///< all of Colour; what others can say of it they say with an ICC profile
  bool texts = false;                 ///< any Text
  std::size_t max_comment_bytes = 0;  ///< of the longest comment, where that is all there is for texts
  bool iptc = false;
  bool modified_time = false;
};

/// All that weir knows of a picture format: one row of a table for each, and nobody else asks which format it is.
struct PictureFormat {
  Format format;
  std::array<std::string_view, 4> names;  ///< its extensions; the first is what it is called by; empty: none
  std::string_view title;                 ///< in a sentence: "JPEG XL"
  /// Whether the first kSniffBytes of a file (or all of a shorter one) are of this format, if they are of none before it.
  bool (*sniff)(std::span<const std::byte> head);
  /// Reads the header alone; the decoder then tells what memory the rest takes.
  Result<DecoderPtr> (*open)(InputFilePtr file, const ReadOptions& options);
  std::optional<WriteSupport> write_support = {};  ///< none: such files are only read
};

/// The format's row.
const PictureFormat& find_format(Format format);

inline constexpr std::size_t kSniffBytes = 64;
/// The row of the format that the first bytes of a file speak of, whatever its name; null: of none.
const PictureFormat* sniff_format(std::span<const std::byte> head);

/// The titles of all formats: "PNG, JPEG and GIF".
std::string list_format_titles();
/// The names of those that `holds` is true of: "png or tiff".
std::string list_formats_with(bool (*holds)(const WriteSupport&));

}  // namespace weir::media
