#pragma once

#include "base/scratch_file.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {

/// How far an interlaced PNG picture is decoded. Adam7 is PNG's interlacing: seven passes over the picture, and each
/// pass adds pixels between those of the earlier passes.
/// Source: PNG specification, third edition (W3C), 8.2 "Adam7".
struct Adam7Progress {
  int pass = 0;      ///< index of the incomplete pass, 0 to 6; all passes before it are complete
  int next_row = 0;  ///< picture row that the pass decodes next; the pass's rows above it are decoded

  /// Returns whether no row of any pass is decoded.
  bool is_empty() const { return pass == 0 && next_row == 0; }
  /// Returns the number of rows at the top of the picture that certainly have all of their pixels. Before the last pass
  /// starts, the result is 0: rows 1, 3, 5, ... have no pixels yet, and row 0 is not counted even if it is complete.
  int complete_rows() const { return pass == 6 ? next_row : 0; }
};

/// Fills each missing pixel with the value of a decoded pixel nearby, as viewers show a picture while it loads. In each
/// pass a pixel stands for a rectangle that extends to the right and down; later passes have smaller rectangles. The
/// missing pixel gets the value of the decoded pixel with the smallest rectangle around it. If there is none, because
/// the first pass ended above it, it gets the value of a pixel in the last decoded row.
/// rows      file with space for all rows of the picture; contains the decoded pixels, and receives the missing pixels
/// info      format of the rows
/// progress  must not be is_empty()
/// Errors: io, disk_full.
Status fill_missing_adam7_pixels(ScratchFile& rows, const PictureInfo& info, const Adam7Progress& progress);

}  // namespace weir::media
