#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/container.hpp"
#include "media/film/display.hpp"
#include "media/film/film_index.hpp"
#include "media/film/stream_plan.hpp"
#include "media/film/times.hpp"
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

/// How the times of a result differ from those of the source: minus the time at which a part of the film begins, and
/// plus what is needed because the container cannot store times below 0.
struct TimeShift {
  std::int64_t count = 0;      ///< is added; in `unit`
  Fraction unit{1, 1000};      ///< in seconds
  std::int64_t origin = 0;     ///< is subtracted; in `origin_unit`. 0 for a whole film
  Fraction origin_unit{1, 1};  ///< in seconds

  /// Returns the time in the result, in `result_unit`, of a time of the source in `source_unit`. It is rounded once.
  std::int64_t apply(std::int64_t time, AVRational source_unit, AVRational result_unit) const;
};

/// Returns the part of the source that a result has: that of the index, from the time of its first frame; empty for a
/// whole film.
std::optional<TimeWindow> window_of(const FilmIndex& index);

/// What a result has, and what it lacks of the source.
struct JoinReport {
  StreamPlan plan;  ///< for each stream, where it is or why it is lost; and what else is lost
  TimeShift shift;
  FrameNumber frames = 0;
  std::int64_t skipped_packets = 0;  ///< packets of other streams that could not be read or converted
  Bytes size;                        ///< of the file
};

/// Writes the result: the packets of all segments, at the presentation times of the index, and everything else of the
/// source as plan_streams() decides. Reads the segments twice; holds one packet of each input, so memory does not grow
/// with the film. Encoded sound has silence where the source has gaps. If the index is of a part of the film, all
/// streams are cut to it: copied packets that overlap it are kept, encoded sound is cut to the sample, subtitles and
/// chapters are shortened; and the first frame of the part is at 0, plus the shift. The file is synced to disk. After
/// an error there is no file. Errors: those of plan_streams(), SegmentPackets::next() and SourcePackets::next();
/// invalid_argument (the number of segments differs from the index); unsupported (frames without ascending times); io
/// (also if the source was changed after it was indexed); disk_full; cancelled.
Result<JoinReport> join_film(const JoinRequest& request);

}  // namespace weir::film
