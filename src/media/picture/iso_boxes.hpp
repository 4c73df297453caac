#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// A box of the ISO base media file format, in which HEIF and AVIF files are stored. A file is a sequence of boxes. A
/// box has a header (length and type) and a body, which can contain boxes. Source: ISO/IEC 14496-12:2020, 4.2.
struct IsoBox {
  std::string type;                               ///< four characters, such as "meta"
  std::uint64_t body_offset = 0, end_offset = 0;  ///< byte offsets in the file: of the body, and of the byte after it
  std::uint64_t body_bytes() const { return end_offset - body_offset; }
};

/// Returns the boxes from byte offset `at` to byte offset `end`, in the order of the file, without the boxes inside
/// them. Stops at the first box that is damaged or cannot be read, and after 4096 boxes.
std::vector<IsoBox> read_iso_boxes(const InputFile& file, std::uint64_t at, std::uint64_t end);

/// Returns the body of a box; nothing if the body is longer than `limit` bytes or cannot be read completely.
std::optional<Blob> read_iso_body(const InputFile& file, const IsoBox& box, std::uint64_t limit);

/// Reads big-endian numbers and texts from the body of a box, one after another. A read past the end of the body
/// returns 0 or an empty text, and good() is false from then on.
class IsoBodyReader {
 public:
  explicit IsoBodyReader(std::span<const std::byte> body) : remaining_{body} {}
  std::uint64_t read_number(std::size_t bytes);  ///< number that is stored in 0 to 8 bytes
  std::string read_text(std::size_t bytes);      ///< text of `bytes` bytes
  std::string read_c_string();                   ///< text up to the next zero byte, which is skipped, or to the end
  bool good() const { return good_; }
  std::size_t remaining_bytes() const { return remaining_.size(); }

 private:
  /// Removes the next `bytes` bytes from remaining_ and returns them; empty if there are fewer.
  std::span<const std::byte> take_bytes(std::size_t bytes);
  std::span<const std::byte> remaining_;
  bool good_ = true;
};

}  // namespace weir::media
