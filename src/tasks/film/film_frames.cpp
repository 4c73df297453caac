#include "tasks/film/film_frames.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tasks/film/frame_stages.hpp"

namespace weir::film {
namespace {

/// The lossy encoders take no frame in which chroma samples lie beside less than their pixels. Errors: unsupported.
Status check_even_size(const FrameFormat& frames, VideoCodec codec) {
  const bool is_lossy = codec == VideoCodec::x264 || codec == VideoCodec::x265 || codec == VideoCodec::av1;
  const PlaneSize padded = frames.padded_luma_size();
  if (!is_lossy || frames.colours == 1 || (padded.width == frames.width && padded.height == frames.height)) return ok();
  return Error{Errc::unsupported,
               fmt::format("{} takes no frames of {}x{} with chroma of half size: use --resize {}x{}, or "
                           "--codec ffv1",
                           name_of(codec), frames.width, frames.height, padded.width, padded.height)};
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
                   const EncodeSettings& encode, Bytes other) {
  const FrameFormat frames = turned_format(film.source, film.turn);
  const media::PictureInfo picture = network_picture(frames);
  const auto size = enhance::final_size(upscaler.network(), picture, settings);
  if (!size) return size.error();
  auto stored = format_for_codec(frames, encode.codec);
  if (!stored) return stored.error();
  film.format.frames = with_size(*stored, size->width, size->height);
  if (auto even = check_even_size(film.format.frames, encode.codec); !even) return even;
  media::WriteOptions output;
  output.row_format = enhance::rows_info(upscaler.network(), picture, settings);
  output.final_width = size->width;
  output.final_height = size->height;
  film.network_result = {output.row_format.width, output.row_format.height};
  // Decoder, waiting frames and encoder count as the reader of the pictures.
  const Bytes beside = other + decoder_memory(film.source, film.decoder) +
                       frame_memory(film.source, film.format.frames, film.network_result, film.deinterlacing) +
                       encoder_memory(film.format.frames, encode);
  auto plan = upscaler.plan(picture, {.ram = beside, .disk = {}}, output);
  if (!plan) return plan.error();
  film.plan = *std::move(plan);
  return ok();
}

}  // namespace weir::film
