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
  std::uint64_t body = 0, end = 0;  ///< offsets in the file
  std::uint64_t size() const { return end - body; }
};

/// The boxes from `at` up to `end` in their order, at most 4096; those behind a damaged one are not found.
std::vector<IsoBox> iso_boxes(const InputFile& file, std::uint64_t at, std::uint64_t end);

/// The body of a box; nothing if it is longer than `limit` or the file ends in it.
std::optional<Blob> iso_body(const InputFile& file, const IsoBox& box, std::uint64_t limit);

/// Big-endian numbers of a body one after the other; 0 beyond the end, where good() is false.
class IsoNumbers {
 public:
  explicit IsoNumbers(std::span<const std::byte> body) : left_{body} {}
  std::uint64_t next(std::size_t bytes);
  std::string text(std::size_t bytes);  ///< so many characters
  std::string line();                   ///< up to a zero, which is passed over
  bool good() const { return good_; }
  std::size_t left() const { return left_.size(); }

 private:
  std::span<const std::byte> take(std::size_t bytes);
  std::span<const std::byte> left_;
  bool good_ = true;
};

}  // namespace weir::media
