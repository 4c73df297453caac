#include "media/film/ffmpeg.hpp"

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::film {
namespace {

Errc code_of(int result) {
  switch (result) {
    case AVERROR_INVALIDDATA:
    case AVERROR_EOF:
      return Errc::corrupt;
    case AVERROR(ENOMEM):
      return Errc::over_budget;
    case AVERROR(ENOSPC):
    case AVERROR(EDQUOT):
      return Errc::disk_full;
    case AVERROR_EXIT:
      return Errc::cancelled;
    case AVERROR_DECODER_NOT_FOUND:
    case AVERROR_ENCODER_NOT_FOUND:
    case AVERROR_DEMUXER_NOT_FOUND:
    case AVERROR_MUXER_NOT_FOUND:
    case AVERROR_PROTOCOL_NOT_FOUND:
    case AVERROR_PATCHWELCOME:
    case AVERROR(ENOSYS):
      return Errc::unsupported;
    default:
      return Errc::io;
  }
}

}  // namespace

ParametersPtr parameters_of(const AVCodecContext& codec) {
  ParametersPtr parameters{avcodec_parameters_alloc()};
  if (parameters && avcodec_parameters_from_context(parameters.get(), &codec) < 0) parameters.reset();
  return parameters;
}

Error ffmpeg_error(int result, const std::string& operation) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(result, text.data(), text.size());
  return Error{code_of(result), fmt::format("{}: {}", operation, one_line(text.data()))};
}

#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
bool is_key_frame(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_KEY) != 0; }
bool is_interlaced(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0; }
bool is_top_field_first(const AVFrame& frame) { return (frame.flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0; }
std::int64_t duration_of(const AVFrame& frame) { return frame.duration; }
void set_duration(AVFrame& frame, std::int64_t duration) { frame.duration = duration; }
void set_interlaced(AVFrame& frame, bool is_interlaced, bool is_top_field_first) {
  frame.flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
  if (is_interlaced) frame.flags |= AV_FRAME_FLAG_INTERLACED;
  if (is_interlaced && is_top_field_first) frame.flags |= AV_FRAME_FLAG_TOP_FIELD_FIRST;
}
#else
bool is_key_frame(const AVFrame& frame) { return frame.key_frame != 0; }
bool is_interlaced(const AVFrame& frame) { return frame.interlaced_frame != 0; }
bool is_top_field_first(const AVFrame& frame) { return frame.top_field_first != 0; }
std::int64_t duration_of(const AVFrame& frame) { return frame.pkt_duration; }
void set_duration(AVFrame& frame, std::int64_t duration) { frame.pkt_duration = duration; }
void set_interlaced(AVFrame& frame, bool is_interlaced, bool is_top_field_first) {
  frame.interlaced_frame = is_interlaced ? 1 : 0;
  frame.top_field_first = is_interlaced && is_top_field_first ? 1 : 0;
}
#endif

}  // namespace weir::film
