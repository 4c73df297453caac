#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/picture/input_file.hpp"

namespace weir::media {

/// The rows of a run-length encoded bitmap (BI_RLE8, BI_RLE4). They are stored from the bottom up in pieces of any length,
/// so that the first use reads the stream once and notes where each row starts: 16 bytes a row, see need(). Pixels that
/// the stream jumps over are index 0, as in Pillow and ImageMagick. Not thread-safe.
/// Source: Microsoft, "Bitmap Compression"
class BmpRleReader {
 public:
  /// at     offset of the stream in the file
  /// depth  4 or 8, bits of an index
  BmpRleReader(InputFilePtr file, std::uint64_t at, int depth, int width, int height)
      : file_{std::move(file)}, offset_{at}, depth_{depth}, width_{width}, height_{height} {}

  /// One index a byte, of the row that is `row` above the last one. Errors: io; corrupt if the stream ends before it.
  Status read_row(int row, std::span<std::byte> indices);
  static Bytes need(int width, int height);
  /// Rows from the bottom that are there whole. The first call reads the stream once. Errors: io.
  Result<int> complete_rows();

 private:
  class Stream;
  struct RowStart {
    std::uint64_t offset = 0;  // of the row's first piece; 0: it has none
    std::int32_t first_x = 0;  // where that piece starts
  };
  Status index_rows();

  InputFilePtr file_;
  std::uint64_t offset_;
  int depth_, width_, height_;
  int truncated_row_ = -1;  // the row in which the file ends
  std::vector<RowStart> row_starts_;
};

}  // namespace weir::media
