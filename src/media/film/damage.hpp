#pragma once

#include <cstdint>
#include <string>

#include "media/film/film_reader.hpp"

namespace weir::film {

/// Returns the time at which a film begins, in units of 1/AV_TIME_BASE s; 0 if its file does not say it.
std::int64_t start_time_of(const AVFormatContext& input);

/// Returns one line about what could not be read of a film; empty: nothing. `reader`: has read the film to its end, or,
/// if `ended_early`, a part of it; `skipped_packets`: that could not be read or decoded; `damaged_frames`: that the
/// decoder completed.
std::string describe_damage(const FilmReader& reader, std::int64_t skipped_packets, std::int64_t damaged_frames,
                            bool ended_early = false);

}  // namespace weir::film
