#include "tasks/film/film_frames.hpp"

#include <algorithm>
#include <utility>

#include "tasks/film/frame_stages.hpp"

namespace weir::film {
namespace {

/// Returns the memory of an encoder, which grows with the pixels. The values for 1080p were measured with FFmpeg 5.1 and
/// one thread: x264 medium 354 MB, x265 ultrafast 360, SVT-AV1 preset 12 380, FFV1 311; slower presets of x265 and
/// SVT-AV1 were not measured.
Bytes encoder_memory(const FrameFormat& format, VideoCodec codec) {
  constexpr double kPixels1080 = 1920.0 * 1080;
  const double megabytes = codec == VideoCodec::x264   ? 360
                           : codec == VideoCodec::x265 ? 400
                           : codec == VideoCodec::av1  ? 420
                           : codec == VideoCodec::ffv1 ? 320
                                                       : 25;  // raw: two frames of 16 bits
  const double pixels = static_cast<double>(format.width) * format.height;
  return Bytes{static_cast<std::uint64_t>(megabytes * 1e6 * std::max(pixels / kPixels1080, 0.05))} + 32_MiB;
}

}  // namespace

Result<FilmFrames> describe_frames(const AVFrame& first, const AVStream& stream, Orientation turn) {
  FilmFrames film;
  auto source = describe_format(first);
  if (!source) return source.error();
  film.source = *std::move(source);
  film.format.hdr = hdr_data_of(first);
  film.format.time_base = {stream.time_base.num, stream.time_base.den};
  film.turn = turn;
  film.format.frame_rate = {stream.avg_frame_rate.num, std::max(stream.avg_frame_rate.den, 1)};
  const AVRational aspect = stream.sample_aspect_ratio.num > 0 ? stream.sample_aspect_ratio  // of the container
                                                               : stream.codecpar->sample_aspect_ratio;
  film.format.sample_aspect = {aspect.num, std::max(aspect.den, 1)};
  if (turn.is_quarter_turn() && aspect.num > 0) film.format.sample_aspect = {aspect.den, aspect.num};
  return film;
}

Status plan_frames(FilmFrames& film, enhance::PictureUpscaler& upscaler, const enhance::UpscaleSettings& settings,
                   VideoCodec codec, Bytes other) {
  const FrameFormat frames = turned_format(film.source, film.turn);
  const media::PictureInfo picture = network_picture(frames);
  const auto size = enhance::final_size(upscaler.network(), picture, settings);
  if (!size) return size.error();
  auto stored = format_for_codec(frames, codec);
  if (!stored) return stored.error();
  film.format.frames = with_size(*stored, size->width, size->height);
  media::WriteOptions output;
  output.row_format = enhance::rows_info(upscaler.network(), picture, settings);
  output.final_width = size->width;
  output.final_height = size->height;
  film.network_result = {output.row_format.width, output.row_format.height};
  // Decoder, waiting frames and encoder count as the reader of the pictures.
  const Bytes beside = other + frame_memory(film.source, film.format.frames, film.deinterlacing) + kDecoderMemory +
                       encoder_memory(film.format.frames, codec);
  auto plan = upscaler.plan(picture, {.ram = beside, .disk = {}}, output);
  if (!plan) return plan.error();
  film.plan = *std::move(plan);
  return ok();
}

}  // namespace weir::film
