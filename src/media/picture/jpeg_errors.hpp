#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <csetjmp>
#include <optional>

namespace weir::media {

/// libjpeg reports errors by a call that must not return: this one jumps back to where `jump` was set, in the function
/// that called libjpeg, which holds nothing with a destructor by then.
struct JpegErrors {
  jpeg_error_mgr base{};  // first: libjpeg hands out a pointer to it
  std::jmp_buf jump{};
  char message[JMSG_LENGTH_MAX] = "";

  /// A warning that pixels are missing or wrong, and where the decoder was.
  struct Place {
    int scan = 0;  ///< from 1
    int row = 0;   ///< the first of the rows of blocks that were being decoded
  };
  std::optional<Place> wrong;      ///< the first of all
  char why[JMSG_LENGTH_MAX] = "";  ///< of it
  std::optional<Place> missing;    ///< the last that says that data end too early
  bool damaged() const { return wrong.has_value(); }

  void install(jpeg_error_mgr*& slot);
};

}  // namespace weir::media
