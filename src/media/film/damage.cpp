#include "media/film/damage.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weir::film {
namespace {

/// A film that ends this much before the end that its header states was cut off. Headers round, and sound often ends a
/// little later or earlier than the picture.
constexpr std::int64_t kTolerance = AV_TIME_BASE;

}  // namespace

std::int64_t start_time_of(const AVFormatContext& input) {
  return input.start_time == AV_NOPTS_VALUE ? 0 : input.start_time;
}

std::string describe_damage(const FilmReader& reader, std::int64_t skipped_packets, std::int64_t damaged_frames,
                            bool ended_early) {
  std::vector<std::string> found;
  if (skipped_packets > 0) found.push_back(fmt::format("{} packets are damaged", skipped_packets));
  if (damaged_frames > 0) found.push_back(fmt::format("{} frames are damaged", damaged_frames));
  const std::int64_t whole = reader.input().duration;
  const std::int64_t read = reader.end_time() - start_time_of(reader.input());
  // Some files state the time of their end instead of their duration.
  const bool is_whole = std::max(read, reader.end_time()) + kTolerance >= whole;
  if (!ended_early && whole > 0 && !is_whole) {
    found.push_back(fmt::format("the film ends at {:.1f} s of {:.1f} s", static_cast<double>(read) / AV_TIME_BASE,
                                static_cast<double>(whole) / AV_TIME_BASE));
  }
  if (reader.is_cut_off()) found.emplace_back("the film ends in the middle of its data");
  return fmt::format("{}", fmt::join(found, ", "));
}

}  // namespace weir::film
