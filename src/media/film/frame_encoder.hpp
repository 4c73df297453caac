#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "media/film/film_index.hpp"
#include "media/film/frame_flow.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// Brightness data of an HDR10 film (SMPTE ST 2086 and CTA-861.3), which the encoder must repeat.
struct HdrData {
  /// In units of 0.00002 (places) and 0.0001 cd/m2 (luminance): green, blue, red, white as x and y, then the largest and
  /// the smallest luminance.
  std::optional<std::array<int, 10>> mastering_display;
  std::optional<std::array<int, 2>>
      content_light;  ///< largest luminance of a pixel, and of a frame on average, in cd/m2
  bool operator==(const HdrData&) const = default;
};

/// Returns the HDR10 data that a frame carries; empty fields where it carries none.
HdrData hdr_data_of(const AVFrame& frame);

/// The frames of a result and how they are shown; all segments of a film have it in common.
struct SegmentFormat {
  FrameFormat frames;
  Fraction time_base;               ///< unit of the presentation times: that of the source
  Fraction frame_rate = {0, 1};     ///< average, for the rate control of the encoder; 0/1 if it is not known
  Fraction sample_aspect = {0, 1};  ///< width / height of a pixel; 0/1 if it is not known
  HdrData hdr = {};
  /// Of frames that are not progressive: each is flagged. x264 codes them as interlaced and FFV1 stores the flag; x265 and
  /// SVT-AV1 code them as progressive frames, so only containers tell players the field order.
  AVFieldOrder field_order = AV_FIELD_PROGRESSIVE;
  std::int64_t time_offset = 0;  ///< segment_time_offset() of the film
};

/// Encodes the frames of a result and gives the packets to the class that is derived from it. The first frame is a key
/// frame, and groups of pictures are closed. Not thread-safe.
class FrameEncoder : public FrameSink {
 public:
  FrameEncoder(const FrameEncoder&) = delete;
  FrameEncoder& operator=(const FrameEncoder&) = delete;
  ~FrameEncoder() override;

  Result<AVFrame*> next_frame() override;
  /// Encodes the frame of next_frame() at `pts` plus SegmentFormat::time_offset. Errors: those of take(); unsupported,
  /// over_budget.
  Status write(std::int64_t pts, std::int64_t duration) override;

 protected:
  FrameEncoder() = default;
  /// Call it first, once. Errors: unsupported (the codec, the pixel format); invalid_argument (the encoder has no such
  /// option, or an option of EncodeSettings has another value than the encoder takes); over_budget.
  Status open_encoder(const SegmentFormat& format, const EncodeSettings& settings);
  /// Encodes the frames that the encoder still holds. Call it last. Errors: those of write().
  Status end();
  /// Takes the next packet, whose times are in units of SegmentFormat::time_base. The packet may be changed.
  virtual Status take(AVPacket& packet) = 0;
  const AVCodecContext& encoder() const { return *encoder_; }

 private:
  /// Returns frame_ in the pixel format of the encoder.
  Result<const AVFrame*> frame_for_encoder();
  /// Takes the packets that the encoder has ready. `frame` is null at the end.
  Status send(const AVFrame* frame);

  CodecPtr encoder_;
  FramePtr frame_ = make_frame();
  AVPixelFormat frame_format_ = AV_PIX_FMT_NONE;  // of frame_
  FramePtr packed_ = make_frame();                // frame_ as the encoder takes it, if that is another format
  PacketPtr packet_ = make_packet();
  bool is_first_ = true;
  std::int64_t time_offset_ = 0;
};

}  // namespace weir::film
