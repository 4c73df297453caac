#pragma once

#include <span>
#include <vector>

#include "enhance/alpha_bleed.hpp"
#include "enhance/geometry.hpp"
#include "nn/rows.hpp"
#include "nn/value_check.hpp"

namespace weir::enhance {

/// Delivers the picture in the form that a network reads: with a reflected border, as float32 planes, 0..1. Keeps the
/// last rows of the picture in a ring buffer, because rows are needed again: for the border at the bottom, for alpha,
/// and for networks whose output is added to the enlarged picture. Not thread-safe.
class SourceWindow final : public nn::InputRows {
 public:
  /// `read_ahead_rows` is the number of rows that are read ahead of the result: row() can return at least this many of
  /// the rows that were read last. `reader` must outlive this object.
  SourceWindow(media::PictureReader& reader, const Geometry& geometry, int read_ahead_rows);
  /// Returns how many rows of the picture a SourceWindow with these arguments keeps.
  static int rows_kept(const Geometry& geometry, int read_ahead_rows);
  /// Returns the memory that a SourceWindow with these arguments needs.
  static Bytes need(const media::PictureInfo& info, const Geometry& geometry, int read_ahead_rows);

  /// Goes back to the first row. Errors: those of the reader.
  Status rewind() override;
  /// Fills rows of the network's input; see nn::InputRows. Errors: those of the reader.
  Status fill(const nn::PlanarRows& rows) override;

  /// Reads the picture up to and including row y, unless row y was read already. The network itself calls only fill(),
  /// and does not read the picture at all in a last pass that uses stored tensors. Errors: those of the reader.
  Status read_up_to(int y);
  /// Returns the interleaved samples of picture row y, which must be one of the rows that are kept.
  std::span<const std::byte> row(int y) const;
  /// Returns the lowest and highest value of each colour in picture row y, which must be one of the rows that are kept.
  nn::ColourRange range(int y) const;
  const media::PictureInfo& info() const { return info_; }

 private:
  media::PictureInfo info_;
  AlphaBleed source_rows_;  // delivers the rows of the picture
  Geometry geometry_;
  int kept_;                             // number of rows in the ring buffer
  int read_ = 0;                         // number of rows read so far
  std::vector<std::byte> ring_;          // row y is in slot y % kept_
  std::vector<nn::ColourRange> ranges_;  // by slot
  std::vector<int> column_;              // column of the picture for each column of the input
};

}  // namespace weir::enhance
