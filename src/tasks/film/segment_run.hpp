#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/film/film_index.hpp"
#include "media/film/segment_encoder.hpp"

namespace weir::film {

/// One segment of a film to enlarge. The references must outlive the run.
struct SegmentJob {
  const std::filesystem::path& film;
  const FilmIndex& index;
  FrameRange range;
  const std::filesystem::path& output;  ///< the file to write
  const FrameFormat& source;            ///< of the frames of the film
  const SegmentFormat& format;          ///< of the result
  PlaneSize network_result;             ///< size of the network's results, in pixels
  const EncodeSettings& encoder;
  enhance::PictureUpscaler& upscaler;
  const enhance::UpscalePlan& plan;                  ///< of one frame: network_picture() of the film's frames
  std::function<void(FrameNumber frames)> progress;  ///< called with the number of frames of which the network is done
  std::stop_token stop;
};

/// What a segment took. The three stages overlap, so their sum is more than the time that passed.
struct SegmentReport {
  Bytes size;                ///< of the file
  FrameNumber frames = 0;    ///< frames written
  FrameNumber repeated = 0;  ///< of these, equal to the frame before: the network did not run
  std::chrono::duration<double> decode{}, network{}, encode{};  ///< time of work, without waiting for other stages
  std::vector<std::string> notes;  ///< messages of the network, such as rows that were repeated in float32
};

/// Returns the format of the pictures that the network reads for frames of this format.
media::PictureInfo network_picture(const FrameFormat& frames);

/// Returns the memory that a run of segments of this kind takes beside the network and the encoder: decoded frames,
/// frames that wait between the stages, and the conversion of colours.
Bytes frame_memory(const FrameFormat& source, const FrameFormat& result);

/// Decodes the frames of a segment, enlarges and encodes them; each stage has a thread of its own, and the network has
/// the calling one. At most kFramesBetweenStages frames wait between two stages. Frames that are equal bit for bit to
/// the one before are enlarged once. Errors: those of SegmentReader, PictureUpscaler::run() and SegmentEncoder;
/// cancelled.
Result<SegmentReport> run_segment(const SegmentJob& job);

/// The number of frames that may be decoded, or enlarged, and wait for the next stage.
inline constexpr int kFramesBetweenStages = 2;

}  // namespace weir::film
