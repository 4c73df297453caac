#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/film_files.hpp"
#include "media/film/packet_converter.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/times.hpp"

namespace weir::film {

/// Reads the packets of a source that a plan copies or converts, in the order of the file and in the form in which the
/// container of the result holds them. Covers and attachments have no packets here. Not thread-safe.
class SourcePackets {
 public:
  /// `window`: the part of the source whose packets are returned; empty: all of it. Errors: those of open_input();
  /// unsupported; over_budget.
  static Result<std::unique_ptr<SourcePackets>> open(const std::filesystem::path& path, const StreamPlan& plan,
                                                     const std::optional<TimeWindow>& window, std::stop_token stop);

  const AVFormatContext& input() const { return *input_; }
  const PacketConverter& converter() const { return *converter_; }
  /// Returns the next packet, which is valid until the next call, with the index of its stream in the source; null
  /// after the last one. Its decoding time is always set. The unit of its times is AVPacket::time_base: that of the
  /// source, or, of encoded sound, one sample. Errors: io; cancelled; corrupt; those of AudioConverter.
  Result<AVPacket*> next();
  /// Returns the number of packets that could not be read or converted.
  std::int64_t skipped_packets() const { return skipped_ + converter_->skipped_packets(); }

 private:
  SourcePackets() = default;
  /// Reads the next packet of the file into packet_. Returns false after the last one.
  Result<bool> read();
  /// Returns whether packet_ has a part in the window; shortens a subtitle to it.
  bool cut_to_window();

  std::filesystem::path path_;
  std::stop_token stop_;
  InputPtr input_;
  std::unique_ptr<PacketConverter> converter_;
  PacketPtr packet_ = make_packet();
  std::optional<TimeWindow> window_;
  std::set<int> begun_;  // video streams whose first key frame in the window was returned
  std::int64_t skipped_ = 0;
};

}  // namespace weir::film
