#include "media/picture/jpeg_errors.hpp"

#include <jerror.h>

namespace weir::media {
namespace {

[[noreturn]] void leave(j_common_ptr codec) {
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  errors->base.format_message(codec, errors->message);
  std::longjmp(errors->jump, 1);
}

// Level -1 is a warning. Those of the pixels say that what follows is invented.
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
      break;
    default:
      return;
  }
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(codec);
  const JpegErrors::Place here{decoder->input_scan_number,
                               static_cast<int>(decoder->input_iMCU_row) * decoder->max_v_samp_factor * DCTSIZE};
  errors->base.format_message(codec, errors->message);
  if (!errors->wrong) {
    errors->wrong = here;
    errors->base.format_message(codec, errors->why);
  }
  if (errors->base.msg_code == JWRN_HIT_MARKER) errors->missing = here;
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
