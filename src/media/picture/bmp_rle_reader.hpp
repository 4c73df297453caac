#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/picture/input_file.hpp"

namespace weir::media {

/// Reads rows of a run-length encoded BMP file (compression BI_RLE8 or BI_RLE4), whose pixels are indices into a
/// palette. A run is a code for some neighbouring pixels of a row; between the runs are escapes, which are codes for
/// the end of a row or for a jump. The file stores the rows from the bottom up. The stored sizes of the rows differ, so
/// the first call of read_row() or complete_rows() reads the whole stream of runs once and stores where each row
/// starts, which takes 16 bytes of memory per row. Pixels that the stream skips get index 0, as in Pillow and
/// ImageMagick. Not thread-safe.
/// Source: Microsoft, "Bitmap Compression"
class BmpRleReader {
 public:
  /// at     byte offset in the file where the stream of runs starts
  /// depth  bits per index, 4 or 8
  BmpRleReader(InputFilePtr file, std::uint64_t at, int depth, int width, int height)
      : file_{std::move(file)}, offset_{at}, depth_{depth}, width_{width}, height_{height} {}

  /// Reads one row into `indices`: one palette index per byte, `width` bytes. Row 0 is the bottom row of the picture.
  /// Errors: io; corrupt, if the stream ends before the end of this row.
  Status read_row(int row, std::span<std::byte> indices);
  /// Returns the memory that a BmpRleReader takes for a picture of this size, with the row of indices of the caller.
  static Bytes need(int width, int height);
  /// Returns the number of complete rows in the file, counted from the bottom.
  /// Errors: io.
  Result<int> complete_rows();

 private:
  class Stream;
  struct RowStart {
    std::uint64_t offset = 0;  // byte offset in the file of the row's first code; 0: a jump skips the row
    std::int32_t first_x = 0;  // column where that code starts; above 0 after a jump
  };
  /// Reads the whole stream and fills row_starts_.
  Status index_rows();

  InputFilePtr file_;
  std::uint64_t offset_;
  int depth_, width_, height_;
  int truncated_row_ = -1;  // row in which the stream ends too early (0: bottom row); -1: none
  std::vector<RowStart> row_starts_;
};

}  // namespace weir::media
