#pragma once

extern "C" {
#include <libavcodec/bsf.h>
}

#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/film_files.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/subtitle_converter.hpp"

namespace weir::film {

/// Returns whether a packet only ends the subtitle before it: muxers of MP4 write such packets themselves.
bool is_subtitle_gap(const AVPacket& packet, AVCodecID codec);

/// Reads the packets of a source that a plan copies or converts, in the order of the file and in the form in which the
/// container of the result holds them. Covers and attachments have no packets here. Not thread-safe.
class SourcePackets {
 public:
  /// `plan` must outlive the object. Errors: those of open_input(); unsupported; over_budget.
  static Result<std::unique_ptr<SourcePackets>> open(const std::filesystem::path& path, const StreamPlan& plan,
                                                     std::stop_token stop);

  const AVFormatContext& input() const { return *input_; }
  /// Writes the codec parameters of a stream of the result that is copied or converted. Errors: over_budget.
  Status describe(const PlannedStream& planned, AVCodecParameters& parameters) const;
  /// Returns the next packet, which is valid until the next call, with the index of its stream in the source; null after
  /// the last one. Its decoding time is always set. Errors: io; cancelled; corrupt.
  Result<AVPacket*> next();
  /// Returns the number of packets that could not be read or converted.
  std::int64_t skipped_packets() const { return skipped_; }

 private:
  struct FilterFreer {
    void operator()(AVBSFContext* filter) const { av_bsf_free(&filter); }
  };
  using FilterPtr = std::unique_ptr<AVBSFContext, FilterFreer>;

  explicit SourcePackets(const StreamPlan& plan) : plan_{plan} {}
  Status prepare(const PlannedStream& planned);
  /// Brings packet_ to the form of the result. Returns false if there is nothing to write.
  Result<bool> convert();
  void complete_times();

  const StreamPlan& plan_;
  std::filesystem::path path_;
  std::stop_token stop_;
  InputPtr input_;
  PacketPtr packet_ = make_packet();
  std::map<int, FilterPtr> filters_;                              // by index in the source
  std::map<int, std::unique_ptr<SubtitleConverter>> converters_;  // by index in the source
  std::map<int, std::int64_t> ends_;                              // end of the last packet of a stream
  std::int64_t skipped_ = 0;
};

}  // namespace weir::film
