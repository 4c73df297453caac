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
namespace {

/// Returns the number of frames in the part of the film that is enlarged. `all`: of the film, 0 if it is not known.
FrameNumber frames_in_range(FrameNumber all, const AVStream& stream, const FilmRequest& request) {
  const double rate = stream.avg_frame_rate.den > 0 ? av_q2d(stream.avg_frame_rate) : 0;
  const auto number_at = [&](double seconds) { return std::min(std::ceil(seconds * rate), static_cast<double>(all)); };
  FrameNumber frames = all;
  if (rate > 0 && (request.from || request.to)) {
    const double end = request.to ? number_at(*request.to) : static_cast<double>(all);
    frames = std::max<FrameNumber>(0, std::llround(end - number_at(request.from.value_or(0))));
  }
  if (request.limit) frames = all > 0 ? std::min(frames, *request.limit) : *request.limit;
  return frames;
}

}  // namespace

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
  const FrameNumber wanted = frames_in_range(length.frames, stream, request);
  *reader = nullptr;  // what it holds is no part of the process that will work
  return_free_memory();
  if (auto planned = plan_frames(*frames, **upscaler, settings, encode); !planned) return planned.error();
  FilmEstimate estimate;
  const Bytes process = resident_memory() + enhance::kWorkingSlack;
  estimate.worker_ram =
      std::max({frames->plan.ram + index_memory(length.frames), process + index_step_memory(*frames, length),
                process + join_step_memory(*frames, length, encode)});
  estimate.plan = std::move(frames->plan);
  const bool is_whole = !request.from && !request.to && !request.limit;
  estimate.is_exact = index && is_whole && !index->cut;  // an index of a part may be of another one
  estimate.frames = estimate.is_exact ? static_cast<FrameNumber>(index->frames.size()) : wanted;
  estimate.segments =
      estimate.is_exact
          ? index->segments.size()
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
