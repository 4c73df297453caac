#pragma once

#include <cstdint>
#include <optional>

#include "media/film/ffmpeg.hpp"

namespace weir::film {

/// Returns the difference of two times in `unit`, rounded once: a in units of `unit_a`, minus b in units of `unit_b`.
std::int64_t difference_in(std::int64_t a, AVRational unit_a, std::int64_t b, AVRational unit_b, AVRational unit,
                           AVRounding rounding = AV_ROUND_NEAR_INF);

/// A part of a source, from one time to another.
struct TimeWindow {
  std::int64_t begin = 0;                ///< in `unit`
  std::optional<std::int64_t> end = {};  ///< the first time after it, in `unit`; empty: the end of the source
  AVRational unit{0, 1};                 ///< in seconds
};

}  // namespace weir::film
