#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enhance/picture_upscaler.hpp"
#include "media/film/film_index.hpp"
#include "media/film/frame_flow.hpp"
#include "media/film/frame_format.hpp"
#include "media/film/interlacing.hpp"
#include "media/film/orientation.hpp"

namespace weir::film {

/// Frames to enlarge. The references must outlive the run.
struct FrameJob {
  FrameSource& source;
  FrameSink& sink;
  const FrameFormat& from;   ///< of the frames of the source
  Orientation turn = {};     ///< how they are turned before the network
  const FrameFormat& to;     ///< of the frames of the result
  PlaneSize network_result;  ///< size of the network's results, in pixels
  enhance::PictureUpscaler& upscaler;
  const enhance::UpscalePlan& plan;  ///< of one frame: network_picture() of the turned frames
  std::function<void(FrameNumber frames)> progress =
      {};  ///< called with the number of frames of which the network is done
  /// Called when a stage fails, on its thread; it ends the waiting of `source` and `sink`. May be empty.
  std::function<void()> on_error = {};
  std::stop_token stop = {};
};

/// What the frames took. The three stages overlap, so their sum is more than the time that passed.
struct FrameReport {
  FrameNumber frames = 0;    ///< frames written
  FrameNumber repeated = 0;  ///< of these, equal to the frame before: the network did not run
  std::chrono::duration<double> decode{}, network{}, encode{};  ///< time of work, without waiting for other stages
  std::vector<std::string> notes;  ///< messages of the network, such as rows that were repeated in float32
};

/// The number of frames that may be decoded, or enlarged, and wait for the next stage.
inline constexpr int kFramesBetweenStages = 2;

/// Returns the format of the pictures that the network reads for frames of this format.
media::PictureInfo network_picture(const FrameFormat& frames);

/// Returns the memory that run_frames() takes beside decoder, network and encoder: frames that wait between the stages, the
/// deinterlacer, and the conversion of colours. The other arguments are those of FrameJob.
Bytes frame_memory(const FrameFormat& source, const FrameFormat& result, PlaneSize network_result,
                   const Deinterlacing& deinterlacing);

/// Decodes frames, enlarges and encodes them; each stage has a thread of its own, and the network has the calling one.
/// At most kFramesBetweenStages frames wait between two stages. Frames that are equal bit for bit to the one before are
/// enlarged once. Errors: those of the source, of PictureUpscaler::run() and of the sink; cancelled.
Result<FrameReport> run_frames(const FrameJob& job);

}  // namespace weir::film
