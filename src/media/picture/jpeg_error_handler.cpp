#include "media/picture/jpeg_error_handler.hpp"

#include <jerror.h>

namespace weir::media {
namespace {

[[noreturn]] void jump_to_return_point(j_common_ptr codec) {
  auto* errors = reinterpret_cast<JpegErrorHandler*>(codec->err);
  errors->base.format_message(codec, errors->message);
  std::longjmp(errors->return_point, 1);
}

// libjpeg calls this function for warnings (level -1) and for trace messages. The warnings in the switch mean that
// libjpeg guesses pixels.
void record_warning(j_common_ptr codec, int level) {
  if (level >= 0) return;
  auto* errors = reinterpret_cast<JpegErrorHandler*>(codec->err);
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
  const JpegErrorHandler::DecodePosition here{
      decoder->input_scan_number, static_cast<int>(decoder->input_iMCU_row) * decoder->max_v_samp_factor * DCTSIZE};
  errors->base.format_message(codec, errors->message);
  if (!errors->first_warning) {
    errors->first_warning = here;
    errors->base.format_message(codec, errors->first_warning_text);
  }
  if (errors->base.msg_code == JWRN_HIT_MARKER) errors->last_missing_data = here;
}

void print_nothing(j_common_ptr) {}

}  // namespace

void JpegErrorHandler::install(jpeg_error_mgr*& slot) {
  slot = jpeg_std_error(&base);
  base.error_exit = jump_to_return_point;
  base.emit_message = record_warning;
  base.output_message = print_nothing;
}

}  // namespace weir::media
