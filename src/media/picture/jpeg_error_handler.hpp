#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <csetjmp>
#include <optional>

namespace weir::media {

/// The error handler of libjpeg. libjpeg reports an error by calling a function that must not return. This handler then
/// jumps (longjmp) to the place where the caller of libjpeg set `return_point` (setjmp). Between setjmp and longjmp the
/// caller must not create objects with a destructor.
struct JpegErrorHandler {
  jpeg_error_mgr base{};  // must be the first member: libjpeg passes a pointer to it
  std::jmp_buf return_point{};
  char message[JMSG_LENGTH_MAX] = "";  ///< text of the last error, or of the last warning about pixels

  /// The position of the decoder when it warned that pixels are missing or wrong. JPEG stores pixels in blocks of 8 x
  /// 8, and the picture in one or more scans, each with a part of the data.
  struct DecodePosition {
    int scan_number = 0;  ///< number of the scan, from 1
    int first_row = 0;    ///< top pixel row of the row of blocks (8 or more pixel rows) that was being decoded
  };
  std::optional<DecodePosition> first_warning;      ///< position of the first warning
  char first_warning_text[JMSG_LENGTH_MAX] = "";    ///< text of the first warning
  std::optional<DecodePosition> last_missing_data;  ///< position of the last warning that the data ends early
  /// Returns whether libjpeg has warned since the construction that pixels are missing or wrong.
  bool is_damaged() const { return first_warning.has_value(); }

  /// Makes this handler the error manager of a codec (libjpeg's compress or decompress struct). `slot` is the codec's
  /// member `err`.
  void install(jpeg_error_mgr*& slot);
};

}  // namespace weir::media
