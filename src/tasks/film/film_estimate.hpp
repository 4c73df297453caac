#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "enhance/picture_upscaler.hpp"
#include "tasks/film/film_plan.hpp"
#include "tasks/picture_task.hpp"

namespace weir::film {

/// What a film will take, before it is indexed.
struct FilmEstimate {
  FrameNumber frames = 0;  ///< by the header of the film, or by its index where an earlier run has made one
  bool is_exact = false;   ///< the number of frames is that of the index
  std::size_t segments = 0;
  enhance::UpscalePlan plan;                  ///< of one frame
  Bytes worker_ram;                           ///< peak of one worker process in any step
  Bytes segment_size, film_size;              ///< expected; all segments stay until the film is joined
  std::chrono::duration<double> work_time{};  ///< of the network, on one device
};

/// Returns the expected size of encoded frames. It only decides about disk space.
Bytes expected_size(int width, int height, FrameNumber frames, VideoCodec codec);

/// Decodes the first frame of a film and plans its enlargement. `upscalers`: prepares the network. Errors: those of
/// FilmReader, describe_frames() and plan_frames().
Result<FilmEstimate> estimate_film(const FilmItem& film, const FilmRequest& request,
                                   const tasks::UpscalerSource& upscalers);

}  // namespace weir::film
