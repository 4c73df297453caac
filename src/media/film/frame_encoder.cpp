#include "media/film/frame_encoder.hpp"

extern "C" {
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "media/film/codec_table.hpp"
#include "media/film/frame_unpacker.hpp"

namespace weir::film {
namespace {

constexpr double kPlaceUnits = 50000;      // per 1: units of HdrData::mastering_display for places
constexpr double kLuminanceUnits = 10000;  // per cd/m2

int in_units(AVRational value, double units) { return static_cast<int>((av_q2d(value) * units) + 0.5); }

/// x265 gets the HDR10 data as text; FFmpeg's wrapper of it does not pass on those of frames.
std::string hdr_parameters(const HdrData& hdr) {
  std::string text;
  if (const auto& m = hdr.mastering_display) {
    text += fmt::format("hdr10=1:repeat-headers=1:master-display=G({},{})B({},{})R({},{})WP({},{})L({},{})", (*m)[0],
                        (*m)[1], (*m)[2], (*m)[3], (*m)[4], (*m)[5], (*m)[6], (*m)[7], (*m)[8], (*m)[9]);
  }
  if (const auto& light = hdr.content_light)
    text += fmt::format("{}max-cll={},{}", text.empty() ? "" : ":", (*light)[0], (*light)[1]);
  return text;
}

/// Appends to the value of an option that is itself a list, such as x265-params.
void append_to_option(AVDictionary*& options, const char* name, const std::string& text) {
  if (text.empty()) return;
  const AVDictionaryEntry* entry = av_dict_get(options, name, nullptr, 0);
  const std::string value = entry == nullptr ? text : fmt::format("{}:{}", text, entry->value);
  av_dict_set(&options, name, value.c_str(), 0);
}

/// Options of the encoders that exist for exactness: closed groups of pictures, and no message of x265.
void add_fixed_options(AVDictionary*& options, VideoCodec codec, const SegmentFormat& format, int threads) {
  if (codec == VideoCodec::x265) {
    append_to_option(options, "x265-params",
                     fmt::format("log-level=none:open-gop=0:pools={}:frame-threads=1", threads));
    append_to_option(options, "x265-params", hdr_parameters(format.hdr));
  }
  if (codec == VideoCodec::av1) append_to_option(options, "svtav1-params", fmt::format("lp={}", threads));
  if (codec == VideoCodec::ffv1) {
    av_dict_set(&options, "level", "3", 0);
    av_dict_set(&options, "slicecrc", "1", 0);
  }
}

bool has_fields(const SegmentFormat& format) {
  return format.field_order == AV_FIELD_TT || format.field_order == AV_FIELD_BB;
}

/// Returns whether x264 takes the frames as interlaced: it needs an even number of chroma rows in both fields.
bool can_code_fields(const SegmentFormat& format) {
  return has_fields(format) && format.frames.height % (2 << format.frames.chroma_shift_y) == 0;
}

/// Owns the options that FFmpeg did not understand, in order to name one of them.
struct OptionList {
  AVDictionary* entries = nullptr;
  OptionList() = default;
  OptionList(const OptionList&) = delete;
  OptionList& operator=(const OptionList&) = delete;
  ~OptionList() { av_dict_free(&entries); }
};

}  // namespace

HdrData hdr_data_of(const AVFrame& frame) {
  HdrData hdr;
  if (const auto* side = av_frame_get_side_data(&frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)) {
    const auto& data = *reinterpret_cast<const AVMasteringDisplayMetadata*>(side->data);
    if (data.has_primaries != 0 && data.has_luminance != 0) {
      const auto place = [](AVRational value) { return in_units(value, kPlaceUnits); };
      const auto& colours = data.display_primaries;  // red, green, blue
      hdr.mastering_display = {place(colours[1][0]),
                               place(colours[1][1]),
                               place(colours[2][0]),
                               place(colours[2][1]),
                               place(colours[0][0]),
                               place(colours[0][1]),
                               place(data.white_point[0]),
                               place(data.white_point[1]),
                               in_units(data.max_luminance, kLuminanceUnits),
                               in_units(data.min_luminance, kLuminanceUnits)};
    }
  }
  if (const auto* side = av_frame_get_side_data(&frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)) {
    const auto& data = *reinterpret_cast<const AVContentLightMetadata*>(side->data);
    hdr.content_light = {static_cast<int>(data.MaxCLL), static_cast<int>(data.MaxFALL)};
  }
  return hdr;
}

FrameEncoder::~FrameEncoder() {
  // SVT-AV1 1.4 waits for ever when it is freed before it got a frame.
  if (!encoder_ || encoder_->codec_id != AV_CODEC_ID_AV1 || avcodec_is_open(encoder_.get()) == 0 || !is_first_) return;
  if (!next_frame()) return;
  for (int i = 0; i < AV_NUM_DATA_POINTERS && frame_->buf[i] != nullptr; ++i)
    std::memset(frame_->buf[i]->data, 0, frame_->buf[i]->size);
  frame_->pts = 0;
  avcodec_send_frame(encoder_.get(), frame_.get());
  avcodec_receive_packet(encoder_.get(), packet_.get());  // hands the frame to the encoder
}

Status FrameEncoder::open_encoder(const SegmentFormat& format, const EncodeSettings& settings) {
  av_log_set_level(AV_LOG_QUIET);
  if (!frame_ || !packed_ || !packet_) return Error{Errc::over_budget, "no memory for a frame"};
  time_offset_ = format.time_offset;
  const CodecRow& row = row_of(settings.codec);
  const AVCodec* codec = avcodec_find_encoder_by_name(row.encoder);
  if (codec == nullptr)
    return Error{Errc::unsupported, fmt::format("FFmpeg was built without the encoder {}", row.encoder)};
  encoder_.reset(avcodec_alloc_context3(codec));
  if (!encoder_) return Error{Errc::over_budget, "no memory for an encoder"};
  encoder_->width = format.frames.width;
  encoder_->height = format.frames.height;
  frame_format_ = format.frames.pixel_format;
  encoder_->pix_fmt = format_for_encoder(*codec, frame_format_);
  if (encoder_->pix_fmt == AV_PIX_FMT_NONE) encoder_->pix_fmt = frame_format_;  // the encoder says why it refuses it
  encoder_->time_base = {format.time_base.numerator, format.time_base.denominator};
  encoder_->framerate = {format.frame_rate.numerator, format.frame_rate.denominator};
  encoder_->sample_aspect_ratio = {format.sample_aspect.numerator, format.sample_aspect.denominator};
  const ColourTags& colour = format.frames.colour;
  encoder_->colorspace = colour.matrix;
  encoder_->color_primaries = colour.primaries;
  encoder_->color_trc = colour.transfer;
  encoder_->color_range = colour.range;
  encoder_->chroma_sample_location = colour.chroma_location;
  encoder_->field_order = format.field_order;
  if (settings.codec == VideoCodec::x264 && can_code_fields(format)) encoder_->flags |= AV_CODEC_FLAG_INTERLACED_DCT;
  encoder_->thread_count = settings.threads;
  // Containers such as MP4 want the headers of the stream once, not in each key frame.
  encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;

  OptionList options;
  if (*row.crf_option != '\0')
    av_dict_set_int(&options.entries, row.crf_option, settings.crf.value_or(row.default_crf), 0);
  if (*row.default_preset != '\0') {
    const std::string& preset = settings.preset;
    av_dict_set(&options.entries, "preset", preset.empty() ? row.default_preset : preset.c_str(), 0);
  }
  for (const auto& [name, value] : settings.options) av_dict_set(&options.entries, name.c_str(), value.c_str(), 0);
  add_fixed_options(options.entries, settings.codec, format, settings.threads);
  if (const int result = avcodec_open2(encoder_.get(), codec, &options.entries); result < 0) {
    Error error = ffmpeg_error(
        result, fmt::format("the encoder {} does not take {}x{} {} with these options", row.name, format.frames.width,
                            format.frames.height, av_get_pix_fmt_name(format.frames.pixel_format)));
    if (error.code == Errc::io) error.code = Errc::invalid_argument;
    return error;
  }
  if (const AVDictionaryEntry* unknown = av_dict_get(options.entries, "", nullptr, AV_DICT_IGNORE_SUFFIX)) {
    return Error{Errc::invalid_argument,
                 fmt::format("the encoder {} has no option '{}'", row.name, printable(unknown->key))};
  }
  return ok();
}

Result<AVFrame*> FrameEncoder::next_frame() {
  av_frame_unref(frame_.get());
  set_interlaced(*frame_, encoder_->field_order == AV_FIELD_TT || encoder_->field_order == AV_FIELD_BB,
                 encoder_->field_order == AV_FIELD_TT);
  frame_->format = frame_format_;
  frame_->width = encoder_->width;
  frame_->height = encoder_->height;
  if (const int result = av_frame_get_buffer(frame_.get(), 0); result < 0) return ffmpeg_error(result, "frame");
  frame_->colorspace = encoder_->colorspace;
  frame_->color_primaries = encoder_->color_primaries;
  frame_->color_trc = encoder_->color_trc;
  frame_->color_range = encoder_->color_range;
  frame_->chroma_location = encoder_->chroma_sample_location;
  frame_->sample_aspect_ratio = encoder_->sample_aspect_ratio;
  return frame_.get();
}

Status FrameEncoder::write(std::int64_t pts, std::int64_t duration) {
  frame_->pts = pts + time_offset_;
  set_duration(*frame_, duration);
  frame_->pict_type = is_first_ ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  is_first_ = false;
  auto frame = frame_for_encoder();
  if (!frame) return frame.error();
  return send(*frame);
}

Result<const AVFrame*> FrameEncoder::frame_for_encoder() {
  if (frame_format_ == encoder_->pix_fmt) return frame_.get();
  av_frame_unref(packed_.get());  // the encoder may still hold its memory
  packed_->format = encoder_->pix_fmt;
  packed_->width = frame_->width;
  packed_->height = frame_->height;
  if (const int result = av_frame_get_buffer(packed_.get(), 0); result < 0) return ffmpeg_error(result, "frame");
  if (const int result = av_frame_copy_props(packed_.get(), frame_.get()); result < 0)
    return ffmpeg_error(result, "frame");
  pack_rgb(*frame_, *packed_);
  return packed_.get();
}

Status FrameEncoder::end() { return send(nullptr); }

Status FrameEncoder::send(const AVFrame* frame) {
  if (const int result = avcodec_send_frame(encoder_.get(), frame); result < 0)
    return ffmpeg_error(result, "the encoder");
  for (;;) {
    const int received = avcodec_receive_packet(encoder_.get(), packet_.get());
    if (received == AVERROR(EAGAIN) || received == AVERROR_EOF) return ok();
    if (received < 0) return ffmpeg_error(received, "the encoder");
    auto taken = take(*packet_);
    av_packet_unref(packet_.get());
    if (!taken) return taken;
  }
}

}  // namespace weir::film
