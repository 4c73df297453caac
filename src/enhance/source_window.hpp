#pragma once

#include <span>
#include <vector>

#include "enhance/alpha_bleed.hpp"
#include "enhance/geometry.hpp"
#include "nn/rows.hpp"
#include "nn/value_check.hpp"

namespace weir::enhance {

/// The picture as a network reads it: bordered, planar float32, 0..1. Keeps the last rows of the picture as they came,
/// for the border at the bottom, for alpha, and for networks whose output is added to the picture.
class SourceWindow final : public nn::InputRows {
 public:
  /// `lead`: rows that may be asked for by row() behind the newest.
  SourceWindow(media::PictureReader& reader, const Geometry& geometry, int read_ahead_rows);
  static int rows_kept(const Geometry& geometry, int read_ahead_rows);
  static Bytes need(const media::PictureInfo& info, const Geometry& geometry, int read_ahead_rows);

  Status rewind() override;
  Status fill(const nn::PlanarRows& rows) override;

  /// Reads on, if need be, until row y was read (a last pass may not need the picture itself). Errors: of the reader.
  Status read_up_to(int y);
  /// Interleaved samples of picture row y, which must be one of the rows kept.
  std::span<const std::byte> row(int y) const;
  /// Of the samples of that row.
  nn::ColourRange range(int y) const;
  const media::PictureInfo& info() const { return info_; }

 private:
  media::PictureInfo info_;
  AlphaBleed rows_;
  Geometry geometry_;
  int kept_;
  int read_ = 0;
  std::vector<std::byte> ring_;
  std::vector<nn::ColourRange> ranges_;
  std::vector<int> column_;  // picture column under each input column
};

}  // namespace weir::enhance
