#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/film_files.hpp"
#include "media/film/film_index.hpp"

namespace weir::film {

/// One packet of the encoded film, which holds one frame.
struct FilmPacket {
  AVPacket* packet = nullptr;  ///< null: after the last one
  FrameNumber frame = 0;       ///< which frame it holds
  FrameNumber position = 0;    ///< its place among all packets of the film, from 0
};

/// Reads the packets of all segments of a film in their order. Holds one packet. Not thread-safe.
class SegmentPackets {
 public:
  /// `files`: one for each segment of the index. The references must outlive the object.
  SegmentPackets(const FilmIndex& index, const std::vector<std::filesystem::path>& files, std::stop_token stop);

  /// Returns the next packet, which is valid until the next call.
  /// Errors: io; cancelled; over_budget; corrupt, if a segment does not have exactly the frames of its range, or is of
  /// another encoding than the first one. The text names the segment.
  Result<FilmPacket> next();

 private:
  Status open_segment();
  Status check_encoding(const AVFormatContext& input);
  Result<FrameNumber> frame_of(const AVPacket& packet);
  Error wrong(const std::string& what) const;

  const FilmIndex& index_;
  const std::vector<std::filesystem::path>& files_;
  std::stop_token stop_;
  InputPtr input_;
  PacketPtr packet_ = make_packet();
  std::size_t segment_ = 0;     // the one that is open, or opened next
  std::vector<bool> is_found_;  // of the frames of the open segment
  FrameNumber found_ = 0;       // number of frames in is_found_
  FrameNumber position_ = 0;
  ParametersPtr first_;  // encoding of the first segment
};

/// The decoding times of the packets of a film, made from the presentation times of its frames: packet n is decoded when
/// frame n - delay is shown. The delay is the smallest with which no frame is shown before it is decoded.
class DecodingTimes {
 public:
  /// Reads all packets, and calls `progress` (may be empty) for each. Errors: those of SegmentPackets::next().
  static Result<DecodingTimes> scan(SegmentPackets& packets, const FilmIndex& index,
                                    const std::function<void()>& progress);
  /// Returns the decoding time of the packet at `position`, in units of FilmIndex::time_base.
  std::int64_t at(FrameNumber position) const;

 private:
  explicit DecodingTimes(const FilmIndex& index) : index_{&index} {}
  const FilmIndex* index_;
  FrameNumber delay_ = 0;
};

}  // namespace weir::film
