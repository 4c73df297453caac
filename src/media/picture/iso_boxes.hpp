#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/picture/input_file.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// A box of the ISO base media file format: a length, a type and a body. Source: ISO/IEC 14496-12:2020, 4.2.
struct IsoBox {
  std::string type;
  std::uint64_t body_offset = 0, end_offset = 0;  ///< offsets in the file
  std::uint64_t body_bytes() const { return end_offset - body_offset; }
};

/// The boxes from `at` up to `end` in their order, at most 4096; those behind a damaged one are not found.
std::vector<IsoBox> read_iso_boxes(const InputFile& file, std::uint64_t at, std::uint64_t end);

/// The body of a box; nothing if it is longer than `limit` or the file ends in it.
std::optional<Blob> read_iso_body(const InputFile& file, const IsoBox& box, std::uint64_t limit);

/// Big-endian numbers of a body one after the other; 0 beyond the end, where good() is false.
class IsoBodyReader {
 public:
  explicit IsoBodyReader(std::span<const std::byte> body) : remaining_{body} {}
  std::uint64_t read_number(std::size_t bytes);
  std::string read_text(std::size_t bytes);  ///< so many characters
  std::string read_c_string();               ///< up to a zero, which is passed over
  bool good() const { return good_; }
  std::size_t remaining_bytes() const { return remaining_.size(); }

 private:
  std::span<const std::byte> take_bytes(std::size_t bytes);
  std::span<const std::byte> remaining_;
  bool good_ = true;
};

}  // namespace weir::media
