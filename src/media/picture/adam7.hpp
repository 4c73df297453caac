#pragma once

#include "base/scratch_file.hpp"
#include "media/picture/picture.hpp"

namespace weir::media {

/// How far an interlaced picture was decoded. Source: PNG specification, third edition (W3C), 8.2 "Adam7".
struct Adam7Progress {
  int pass = 0;      ///< 0 to 6, the one that is not whole
  int next_row = 0;  ///< the first row of the picture that this pass lacks; all passes before it are whole

  /// Not a row of the first pass is there.
  bool is_empty() const { return pass == 0 && next_row == 0; }
  /// So many rows at the top of the picture have all of their pixels: the last pass has every second row.
  int complete_rows() const { return pass == 6 ? next_row : 0; }
};

/// Gives the pixels that are missing the value of the pixel that stands for their part of the picture in the passes that
/// are there, as a picture is shown while it loads. `rows`: all rows of the picture. Errors: io.
Status fill_missing_adam7_pixels(ScratchFile& rows, const PictureInfo& info, const Adam7Progress& progress);

}  // namespace weir::media
