#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/container.hpp"
#include "media/film/display.hpp"
#include "media/film/film_index.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/video_codec.hpp"

namespace weir::film {

/// What is joined, and to what.
struct JoinRequest {
  std::filesystem::path source;                 ///< the film; its other streams, chapters and tags are copied
  const FilmIndex& index;                       ///< of `source`; its frames are presented one after the other
  std::vector<std::filesystem::path> segments;  ///< files of SegmentEncoder, one for each segment of the index
  std::filesystem::path output;                 ///< the file to write; it is replaced. The caller publishes it
  Container container = Container::mkv;
  VideoCodec codec = VideoCodec::x264;  ///< of the segments
  DisplayProperties display = {};       ///< of the result
  std::string audio = "copy";           ///< or the name of an encoder for all sound: open_audio_encoder()
  /// Called often with the done share of the work, 0..1. May be empty.
  std::function<void(double fraction)> progress = {};
  std::stop_token stop = {};
};

/// An amount by which all times of a result differ from those of the source, because its container cannot store times
/// below 0.
struct TimeShift {
  std::int64_t count = 0;  ///< in `unit`
  Fraction unit{1, 1000};  ///< in seconds
};

/// What a result has, and what it lacks of the source.
struct JoinReport {
  StreamPlan plan;  ///< for each stream, where it is or why it is lost; and what else is lost
  TimeShift shift;
  FrameNumber frames = 0;
  std::int64_t skipped_packets = 0;  ///< packets of other streams that could not be read or converted
  Bytes size;                        ///< of the file
};

/// Writes the result: the packets of all segments, at the presentation times of the index, and everything else of the source
/// as plan_streams() decides. Reads the segments twice; holds one packet of each input, so memory does not grow with the
/// film. Encoded sound has silence where the source has gaps. The file is synced to disk. After an error there is no file.
/// Errors: those of plan_streams(), SegmentPackets::next() and SourcePackets::next(); invalid_argument (the number of
/// segments differs from the index); unsupported (frames without ascending times); io (also if the source was changed after
/// it was indexed); disk_full; cancelled.
Result<JoinReport> join_film(const JoinRequest& request);

}  // namespace weir::film
