#pragma once

#include "base/bytes.hpp"
#include "media/film/film_index.hpp"
#include "media/film/film_reader.hpp"
#include "tasks/film/film_frames.hpp"

namespace weir::film {

// Upper bounds of the memory of a film's steps beside that of the process; docs/memory.md has the measured values.

/// How long a film is, by its headers.
struct FilmLength {
  FrameNumber frames = 0;  ///< 0: not known
  double seconds = 0;      ///< 0: not known
  int streams = 1;
};
FilmLength length_of(const FilmReader& film);

/// Returns the memory of an index with this number of frames while it is made, read or written.
Bytes index_memory(FrameNumber frames);
/// Returns the memory of indexing a film. Of `film` it uses source and decoder.
Bytes index_step_memory(const FilmFrames& film, const FilmLength& length);
/// Returns the memory of joining the segments of a film and comparing the result with them. `film` is planned.
Bytes join_step_memory(const FilmFrames& film, const FilmLength& length, const EncodeSettings& encode);

}  // namespace weir::film
