#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::enhance {

/// Alpha bleeding: delivers the rows of a picture in order, and replaces the colour of each hidden pixel (alpha 0) by
/// the colour of the nearest visible pixel (alpha above 0). Without this, a network would spread the colours of hidden
/// pixels into visible pixels. The search covers a distance of kSearchRadius pixels. If it finds no visible pixel, the
/// hidden pixel gets the new colour of the pixel to its left, or in column 0 that of the pixel above (in row 0: black).
/// Pictures without alpha are not changed. Not thread-safe.
class AlphaBleed {
 public:
  /// Distance in pixels within which the nearest visible pixel is searched.
  static constexpr int kSearchRadius = 32;
  /// `reader` must outlive this object.
  explicit AlphaBleed(media::PictureReader& reader);
  /// Returns the memory that an object for a picture of this format needs, in addition to one row.
  static Bytes need(const media::PictureInfo& info);

  /// Goes back to the first row: the next call of read_next() returns row 0. Must be called before the first
  /// read_next(). Errors: those of the reader.
  Status rewind();
  /// Fills `row` with the next row. Errors: those of the reader.
  Status read_next(std::span<std::byte> row);

 private:
  struct Row {
    std::vector<std::byte> samples;
    std::vector<int> nearest;  // by column: column of the nearest visible pixel of this row; -1: no pixel is visible
    bool has_hidden = false;   // at least one pixel of the row is hidden
  };
  /// Reads one more row of the picture into the window.
  Status read_row();
  /// Replaces the colours of the hidden pixels in `row`, which is a copy of window_[centre].
  void fill_hidden_pixels(std::size_t centre, std::span<std::byte> row);
  bool is_visible(const Row& row, int x) const;

  media::PictureReader& reader_;
  media::PictureInfo info_;
  std::deque<Row> window_;           // the rows within kSearchRadius of row next_, as far as they were read
  int first_ = 0;                    // picture row of window_.front()
  int next_ = 0;                     // picture row that the next read_next() returns
  std::vector<std::byte> last_row_;  // the row that the last read_next() returned
};

}  // namespace weir::enhance
