#include "media/film/times.hpp"

#include <limits>
#include <numeric>

namespace weir::film {

std::int64_t difference_in(std::int64_t a, AVRational unit_a, std::int64_t b, AVRational unit_b, AVRational unit,
                           AVRounding rounding) {
  if (b == 0) return av_rescale_q_rnd(a, unit_a, unit, rounding);
  const std::int64_t common = std::lcm(std::int64_t{unit_a.den}, std::int64_t{unit_b.den});
  const AVRational fine = common <= std::numeric_limits<int>::max() ? AVRational{1, static_cast<int>(common)} : unit_a;
  // Unsigned, because times of damaged files may be so far apart that the difference overflows.
  const auto difference = static_cast<std::uint64_t>(av_rescale_q(a, unit_a, fine)) -
                          static_cast<std::uint64_t>(av_rescale_q(b, unit_b, fine));
  return av_rescale_q_rnd(static_cast<std::int64_t>(difference), fine, unit, rounding);
}

}  // namespace weir::film
