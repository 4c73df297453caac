#include "tasks/film/step_memory.hpp"

#include <cmath>

namespace weir::film {

Bytes index_memory(FrameNumber frames) {
  constexpr std::uint64_t kPerFrame = 200;  // the frame, its packet's time and its line of text, in vectors that grow
  return Bytes{kPerFrame * static_cast<std::uint64_t>(frames)} + 1_MiB;
}

FilmLength length_of(const FilmReader& film) {
  const AVStream& stream = film.stream();
  const std::int64_t duration = film.input().duration;
  FilmLength length{.seconds = duration > 0 ? static_cast<double>(duration) / AV_TIME_BASE : 0,
                    .streams = static_cast<int>(film.input().nb_streams)};
  const double rate = stream.avg_frame_rate.den > 0 ? av_q2d(stream.avg_frame_rate) : 0;
  const double seconds =
      stream.duration > 0 ? static_cast<double>(stream.duration) * av_q2d(stream.time_base) : length.seconds;
  length.frames = stream.nb_frames > 0 ? stream.nb_frames : std::llround(seconds * rate);
  return length;
}

Bytes index_step_memory(const FilmFrames& film, const FilmLength& length) {
  return decoder_memory(film.source, film.decoder) + index_memory(length.frames);
}

Bytes join_step_memory(const FilmFrames& film, const FilmLength& length, const EncodeSettings& encode) {
  // Of each packet of the other streams, in the film and in the result, the time and a hash are compared.
  constexpr double kPacketsPerSecond = 50, kBytesPerPacket = 64;
  const double packets = length.seconds * kPacketsPerSecond * (length.streams - 1);
  // The result and its segments are decoded at the same time.
  const Bytes decoder = decoder_memory(film.format.frames, result_traits(encode));
  return Bytes{2 * decoder.count()} + index_memory(length.frames) +
         Bytes{static_cast<std::uint64_t>(packets * kBytesPerPacket)};
}

}  // namespace weir::film
