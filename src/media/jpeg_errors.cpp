#include "media/jpeg_errors.hpp"

#include <jerror.h>

namespace weir::media {
namespace {

[[noreturn]] void leave(j_common_ptr codec) {
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  errors->base.format_message(codec, errors->message);
  std::longjmp(errors->jump, 1);
}

// Level -1 is a warning. These say that the pixels that follow are invented.
void note(j_common_ptr codec, int level) {
  if (level >= 0) return;
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  ++errors->base.num_warnings;
  switch (errors->base.msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_JPEG_EOF:
    case JWRN_BOGUS_PROGRESSION:
      errors->damaged = true;
      errors->base.format_message(codec, errors->message);
      break;
    default:
      break;
  }
}

void say_nothing(j_common_ptr) {}

}  // namespace

void JpegErrors::install(jpeg_error_mgr*& slot) {
  slot = jpeg_std_error(&base);
  base.error_exit = leave;
  base.emit_message = note;
  base.output_message = say_nothing;
}

}  // namespace weir::media
