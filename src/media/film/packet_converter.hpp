#pragma once

extern "C" {
#include <libavcodec/bsf.h>
}

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "media/film/audio_converter.hpp"
#include "media/film/container.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/subtitle_converter.hpp"

namespace weir::film {

/// Returns whether a packet only ends the subtitle before it: muxers of MP4 write such packets themselves.
bool is_subtitle_gap(const AVPacket& packet, AVCodecID codec);

/// Brings the packets that a plan copies or converts to the form in which the container of the result holds them. The
/// unit of their times is AVPacket::time_base. Covers and attachments have no packets here. Not thread-safe.
class PacketConverter {
 public:
  /// `input`: the source, which must outlive the object. Sets which of its streams are read: beside the film those that
  /// have packets here. `window`: encoded sound is cut to it; copied packets are not. Errors: unsupported; over_budget.
  static Result<std::unique_ptr<PacketConverter>> create(AVFormatContext& input, const StreamPlan& plan,
                                                         const std::optional<TimeWindow>& window = {});

  /// Writes the codec parameters of a stream of the result that is copied or converted. Errors: over_budget.
  Status describe(const PlannedStream& planned, AVCodecParameters& parameters) const;
  /// Converts a packet of the source and sets its decoding time if it has none. Returns false if there is nothing to
  /// write: the stream is not copied, the packet cannot be converted, or it shows nothing; or it is sound that is
  /// encoded anew, whose packets receive_audio() returns. Errors: over_budget; those of AudioConverter::send().
  Result<bool> convert(AVPacket& packet);
  /// Lets `packet` be the next packet of encoded sound. Returns false if there is none before more is converted: call
  /// it until then, before each call of convert() and after each call of end_audio(). Errors: those of AudioConverter.
  Result<bool> receive_audio(AVPacket& packet);
  /// Tells the next encoder of sound that the source has ended. Returns false if all know it.
  Result<bool> end_audio();
  /// Returns the converter of sound that is encoded anew; null for any other stream.
  const AudioConverter* audio_converter(int source) const;
  /// Returns the number of packets that could not be converted.
  std::int64_t skipped_packets() const { return skipped_; }

 private:
  struct FilterFreer {
    void operator()(AVBSFContext* filter) const { av_bsf_free(&filter); }
  };
  using FilterPtr = std::unique_ptr<AVBSFContext, FilterFreer>;

  PacketConverter(AVFormatContext& input, std::size_t planned_streams)
      : input_{input}, planned_streams_{planned_streams} {}
  Status prepare(const PlannedStream& planned, const StreamPlan& plan, const std::optional<TimeWindow>& window);
  void complete_times(AVPacket& packet);

  AVFormatContext& input_;
  std::size_t planned_streams_;
  std::map<int, FilterPtr> filters_;                              // by index in the source
  std::map<int, std::unique_ptr<SubtitleConverter>> converters_;  // by index in the source
  std::map<int, std::unique_ptr<AudioConverter>> audio_;          // by index in the source
  std::optional<int> active_audio_;                               // may have packets; key of audio_
  std::size_t ended_audio_ = 0;                                   // number of entries of audio_ whose source has ended
  std::map<int, std::int64_t> ends_;                              // end of the last packet of a stream
  std::int64_t skipped_ = 0;
};

}  // namespace weir::film
