#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
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

/// What all segments of a film have in common.
struct SegmentFormat {
  FrameFormat frames;
  Fraction time_base;               ///< unit of the presentation times: that of the source
  Fraction frame_rate = {0, 1};     ///< average, for the rate control of the encoder; 0/1 if it is not known
  Fraction sample_aspect = {0, 1};  ///< width / height of a pixel; 0/1 if it is not known
  HdrData hdr = {};
  std::int64_t time_offset = 0;  ///< segment_time_offset() of the film
};

/// Returns what is added to all presentation times in segments, in units of FilmIndex::time_base: NUT cannot store times
/// below 0, at which a few films begin. It is 0 for all others.
std::int64_t segment_time_offset(const FilmIndex& index);

/// Writes one segment of the result: the encoded frames in a NUT file, with the presentation times of the source, plus
/// SegmentFormat::time_offset. The
/// first frame is a key frame, and no frame depends on another segment. NUT keeps times exactly, where other containers
/// round them; its unit of time may be an integer fraction of the source's. Not thread-safe.
class SegmentEncoder final : public FrameSink {
 public:
  /// Creates the file. Errors: unsupported (the codec, the pixel format, an option); io; disk_full; invalid_argument (an
  /// option of EncodeSettings has another value than the encoder takes).
  static Result<std::unique_ptr<SegmentEncoder>> create(const std::filesystem::path& path, const SegmentFormat& format,
                                                        const EncodeSettings& settings);
  ~SegmentEncoder() override;
  SegmentEncoder(const SegmentEncoder&) = delete;
  SegmentEncoder& operator=(const SegmentEncoder&) = delete;

  Result<AVFrame*> next_frame() override;
  Status write(std::int64_t pts, std::int64_t duration) override;
  /// Encodes the frames that the encoder still holds, completes the file and syncs it to disk. Returns the size of the
  /// file. Call it once. Errors: those of write().
  Result<Bytes> finish();

 private:
  SegmentEncoder() = default;
  Status open_encoder(const SegmentFormat& format, const EncodeSettings& settings);
  Status open_file(const SegmentFormat& format);
  /// Writes the packets that the encoder has ready. `frame` is null at the end.
  Status send(const AVFrame* frame);

  struct OutputFreer {
    void operator()(AVFormatContext* context) const;
  };
  std::filesystem::path path_;
  std::unique_ptr<AVFormatContext, OutputFreer> file_;
  CodecPtr encoder_;
  FramePtr frame_ = make_frame();
  PacketPtr packet_ = make_packet();
  bool is_first_ = true;
  std::int64_t time_offset_ = 0;
};

}  // namespace weir::film
