#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "media/film/times.hpp"

namespace weir::film {

/// What decoding the sound of a stream gives.
struct AudioSummary {
  std::int64_t samples = 0;     ///< per channel, with silence in gaps (AudioDecoder)
  int rate = 0;                 ///< in samples per second
  std::int64_t first_time = 0;  ///< of the first sample, in `unit`
  AVRational unit{0, 1};        ///< of the times of the stream, in seconds
  std::uint64_t hash = 0;       ///< of all samples, in a form that does not depend on how the codec stores them
  std::int64_t undecodable_packets = 0;
  double seconds() const { return rate > 0 ? static_cast<double>(samples) / rate : 0; }
};

/// Decodes the sound of some streams of a film. `streams`: their indices; `window`: what is decoded; `progress`: is
/// called often. /// Errors: those of open_input(), SourcePackets::next() and AudioDecoder.
Result<std::map<int, AudioSummary>> summarize_audio(const std::filesystem::path& path, const std::vector<int>& streams,
                                                    const std::optional<TimeWindow>& window,
                                                    const std::function<void()>& progress, std::stop_token stop);

}  // namespace weir::film
