#include "tasks/film/film_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "jobs/run_folder.hpp"
#include "media/film/film_reader.hpp"
#include "tasks/film/film_frames.hpp"

namespace weir::film {
namespace {

/// Returns the number of frames that the headers of a film tell; 0 if they do not.
FrameNumber frames_of(const AVFormatContext& input, const AVStream& stream) {
  if (stream.nb_frames > 0) return stream.nb_frames;
  const double rate = stream.avg_frame_rate.den > 0 ? av_q2d(stream.avg_frame_rate) : 0;
  if (stream.duration > 0) return std::llround(static_cast<double>(stream.duration) * av_q2d(stream.time_base) * rate);
  if (input.duration > 0) return std::llround(static_cast<double>(input.duration) / AV_TIME_BASE * rate);
  return 0;
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
  const enhance::UpscaleSettings& settings = request.upscale.upscale;
  const FrameFormat turned = turned_format(frames->source, frames->turn);
  auto upscaler = upscalers(tasks::required_scale(settings, turned.width, turned.height));
  if (!upscaler) return upscaler.error();
  if (auto planned = plan_frames(*frames, **upscaler, settings, request.encode.codec); !planned) return planned.error();
  FilmEstimate estimate;
  estimate.plan = std::move(frames->plan);
  const auto index = read_film_index(jobs::work_folder_of(film.output) / "index");
  estimate.is_exact = index.operator bool();
  estimate.frames = index ? static_cast<FrameNumber>(index->frames.size()) : frames_of((*reader)->input(), stream);
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
