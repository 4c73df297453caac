#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <csetjmp>
#include <optional>

namespace weir::media {

/// libjpeg reports errors by a call that must not return: this one jumps back to where `jump` was set, in the function
/// that called libjpeg, which holds nothing with a destructor by then.
struct JpegErrorHandler {
  jpeg_error_mgr base{};  // first: libjpeg hands out a pointer to it
  std::jmp_buf return_point{};
  char message[JMSG_LENGTH_MAX] = "";

  /// A warning that pixels are missing or wrong, and where the decoder was.
  struct DecodePosition {
    int scan_number = 0;  ///< from 1
    int first_row = 0;    ///< the first of the rows of blocks that were being decoded
  };
  std::optional<DecodePosition> first_warning;      ///< the first of all
  char first_warning_text[JMSG_LENGTH_MAX] = "";    ///< of it
  std::optional<DecodePosition> last_missing_data;  ///< the last that says that data end too early
  bool is_damaged() const { return first_warning.has_value(); }

  void install(jpeg_error_mgr*& slot);
};

}  // namespace weir::media
