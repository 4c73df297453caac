#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/film/film_index.hpp"
#include "media/film/interlacing.hpp"
#include "media/film/segment_encoder.hpp"
#include "tasks/film/frame_stages.hpp"

namespace weir::film {

/// One segment of a film to enlarge. The references must outlive the run.
struct SegmentJob {
  const std::filesystem::path& film;
  const FilmIndex& index;
  FrameRange range;
  const std::filesystem::path& output;  ///< the file to write
  const FrameFormat& source;            ///< of the frames of the film
  Orientation turn = {};                ///< how they are turned before the network
  Deinterlacing deinterlacing = {};     ///< which of them are deinterlaced before that
  const SegmentFormat& format;          ///< of the result
  PlaneSize network_result;             ///< size of the network's results, in pixels
  const EncodeSettings& encoder;
  enhance::PictureUpscaler& upscaler;
  const enhance::UpscalePlan& plan;                  ///< of one frame: network_picture() of the film's turned frames
  std::function<void(FrameNumber frames)> progress;  ///< called with the number of frames of which the network is done
  std::stop_token stop;
};

/// What a segment took, and the size of its file.
struct SegmentReport : FrameReport {
  Bytes size;
};

/// Decodes the frames of a segment, enlarges and encodes them with run_frames(). Errors: those of PreparedReader,
/// PictureUpscaler::run() and SegmentEncoder; cancelled.
Result<SegmentReport> run_segment(const SegmentJob& job);

}  // namespace weir::film
