#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::enhance {

/// A picture's rows in order, with the colours of wholly transparent pixels replaced by the nearest visible colour, so
/// that a network does not smear what nobody sees into what everybody sees. "Nearest" is looked for within kReach
/// pixels; beyond that, the colour to the left, else above, is carried on. Pictures without alpha pass unchanged.
class AlphaBleed {
 public:
  static constexpr int kSearchRadius = 32;
  explicit AlphaBleed(media::PictureReader& reader);
  /// Memory that it takes for a picture, besides one row.
  static Bytes need(const media::PictureInfo& info);

  /// The next next() is row 0. Errors: those of the reader.
  Status rewind();
  /// Fills one row. Errors: those of the reader.
  Status read_next(std::span<std::byte> row);

 private:
  struct Row {
    std::vector<std::byte> samples;
    std::vector<int> nearest;  // column of the nearest visible pixel of this row; -1: none
    bool has_hidden = false;   // has a transparent pixel
  };
  Status read_row();
  void fill_hidden_pixels(std::size_t centre, std::span<std::byte> row);
  bool is_visible(const Row& row, int x) const;

  media::PictureReader& reader_;
  media::PictureInfo info_;
  std::deque<Row> window_;
  int first_ = 0;                    // picture row of window_.front()
  int next_ = 0;                     // the next row to hand out
  std::vector<std::byte> last_row_;  // the colours of the row handed out last
};

}  // namespace weir::enhance
