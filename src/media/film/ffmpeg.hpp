#pragma once

// FFmpeg's libraries are C and say in each header which language they need.
extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
}

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace weir::film {

/// Owners of FFmpeg's objects. Each frees its object with FFmpeg's own function.
struct InputCloser {
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};
struct CodecFreer {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FrameFreer {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct PacketFreer {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct ParametersFreer {
  void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
};
using InputPtr = std::unique_ptr<AVFormatContext, InputCloser>;
using CodecPtr = std::unique_ptr<AVCodecContext, CodecFreer>;
using FramePtr = std::unique_ptr<AVFrame, FrameFreer>;
using PacketPtr = std::unique_ptr<AVPacket, PacketFreer>;
using ParametersPtr = std::unique_ptr<AVCodecParameters, ParametersFreer>;

/// Returns an empty frame; null if there is no memory.
inline FramePtr make_frame() { return FramePtr{av_frame_alloc()}; }
/// Returns an empty packet; null if there is no memory.
inline PacketPtr make_packet() { return PacketPtr{av_packet_alloc()}; }

/// Returns the parameters of an open encoder or decoder; null if there is no memory.
ParametersPtr parameters_of(const AVCodecContext& codec);

/// Converts a negative result of an FFmpeg function to an Error with the text "`operation`: FFmpeg's message". The code
/// is corrupt for data that FFmpeg cannot read, over_budget for lack of memory, disk_full, unsupported for a missing
/// codec, format or protocol, cancelled for an interruption, and io for all others.
Error ffmpeg_error(int result, const std::string& operation);

// Properties of a decoded frame whose fields have other names in other versions of FFmpeg.
bool is_key_frame(const AVFrame& frame);
bool is_interlaced(const AVFrame& frame);
bool is_top_field_first(const AVFrame& frame);
std::int64_t duration_of(const AVFrame& frame);  ///< in units of the stream's time base; 0 if the file does not say it

void set_duration(AVFrame& frame, std::int64_t duration);
void set_interlaced(AVFrame& frame, bool is_interlaced, bool is_top_field_first);

}  // namespace weir::film
