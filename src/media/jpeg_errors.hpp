#pragma once

#include <cstddef>
#include <cstdio>

#include <jpeglib.h>  // after the two above, which it needs

#include <csetjmp>

namespace weir::media {

/// libjpeg reports errors by a call that must not return: this one jumps back to where `jump` was set, in the function
/// that called libjpeg, which holds nothing with a destructor by then.
struct JpegErrors {
  jpeg_error_mgr base{};  // first: libjpeg hands out a pointer to it
  std::jmp_buf jump{};
  char message[JMSG_LENGTH_MAX] = "";
  bool damaged = false;  ///< a warning said that pixels are missing or wrong

  void install(jpeg_error_mgr*& slot);
};

}  // namespace weir::media
