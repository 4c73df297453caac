#include "tasks/film/film_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/process_memory.hpp"
#include "enhance/picture_planner.hpp"
#include "jobs/run_folder.hpp"
#include "media/film/film_reader.hpp"
#include "tasks/film/film_frames.hpp"
#include "tasks/film/step_memory.hpp"

namespace weir::film {
Bytes expected_size(int width, int height, FrameNumber frames, VideoCodec codec) {
  const double bytes_per_pixel = codec == VideoCodec::ffv1 ? 0.4 : 0.08;
  return Bytes{static_cast<std::uint64_t>(bytes_per_pixel * width * height * static_cast<double>(frames))};
}

Result<FilmEstimate> estimate_film(const FilmItem& film, const FilmRequest& request,
                                   const tasks::UpscalerSource& upscalers) {
  auto reader = FilmReader::open(film.film, {});
  if (!reader) return reader.error();
  const auto frame = (*reader)->next();
  if (!frame) return frame.error();
  if (frame->frame == nullptr) return Error{Errc::corrupt, "no frame can be decoded"};
  const AVStream& stream = (*reader)->stream();
  auto frames = describe_frames(*frame->frame, stream, pixel_turn(orientation_of(stream), film.output));
  if (!frames) return frames.error();
  frames->decoder = (*reader)->decoder_traits();
  const enhance::UpscaleSettings& settings = request.upscale.upscale;
  const FrameFormat turned = turned_format(frames->source, frames->turn);
  auto upscaler = upscalers(tasks::required_scale(settings, turned.width, turned.height));
  if (!upscaler) return upscaler.error();
  const auto index = read_film_index(jobs::work_folder_of(film.output) / "index");
  EncodeSettings encode = request.encode;
  encode.threads = request.encoder_threads.value_or(index ? index->encoder_threads : request.suggested_encoder_threads);
  const FilmLength length = length_of(**reader);
  *reader = nullptr;  // what it holds is no part of the process that will work
  return_free_memory();
  if (auto planned = plan_frames(*frames, **upscaler, settings, encode); !planned) return planned.error();
  FilmEstimate estimate;
  const Bytes process = resident_memory() + enhance::kWorkingSlack;
  estimate.worker_ram =
      std::max({frames->plan.ram + index_memory(length.frames), process + index_step_memory(*frames, length),
                process + join_step_memory(*frames, length, encode)});
  estimate.plan = std::move(frames->plan);
  estimate.is_exact = index.operator bool();
  estimate.frames = index ? static_cast<FrameNumber>(index->frames.size()) : length.frames;
  estimate.segments =
      index ? index->segments.size()
            : static_cast<std::size_t>((estimate.frames + film.segments.longest - 1) / film.segments.longest);
  const auto size_of = [&](FrameNumber count) {
    return expected_size(estimate.plan.output_width, estimate.plan.output_height, count, request.encode.codec);
  };
  estimate.segment_size = size_of(std::min(estimate.frames, film.segments.longest));
  estimate.film_size = size_of(estimate.frames);
  estimate.work_time = estimate.plan.expected_time * static_cast<double>(estimate.frames);
  return estimate;
}

}  // namespace weir::film
