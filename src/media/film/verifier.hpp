#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "media/film/film_index.hpp"
#include "media/film/joiner.hpp"

namespace weir::film {

/// How one stream beside the film was compared.
struct VerifiedStream {
  int source = 0;            ///< index in the source
  std::int64_t packets = 0;  ///< compared packets; 1 for a cover or an attachment
  std::int64_t samples = 0;  ///< of encoded sound: compared samples, per channel
  /// The container writes the packets in another form (H.264 and HEVC of transport streams), so only their number and times
  /// were compared.
  bool is_rewritten = false;
  /// The joiner moved packets of this stream (PlannedStream::moved_packets), so times were not compared.
  bool has_moved_packets = false;
};

/// What verify_film() compared.
struct VerifyReport {
  FrameNumber frames = 0;  ///< decoded frames of the result, as many as in the index
  /// All times are those of the index, after the shift. Otherwise the container rounded some to its own unit, by half a unit
  /// at most.
  bool has_exact_times = false;
  Fraction time_unit;  ///< of the film in the result
  std::vector<VerifiedStream> streams;
};

/// What is compared.
struct VerifyRequest {
  std::filesystem::path result;
  std::filesystem::path source;
  const FilmIndex& index;    ///< of the source
  const JoinReport& report;  ///< of join_film()
  /// Its segments, whose decoded frames the result must have; empty: the samples are not compared.
  std::vector<std::filesystem::path> segments = {};
  /// Called often with the done share of the work, 0..1. May be empty.
  std::function<void(double fraction)> progress = {};
  std::stop_token stop = {};
};

/// Compares a result with its source: decodes all frames of the film, compares their number and times with the index
/// and their samples with the segments; and compares each copied stream packet by packet: data, and times relative to
/// the film, to the units of both containers. Encoded sound is decoded in both files: lossless sound must have the samples
/// of the source, and all other begins and ends at the same times as in the source, to a packet. Errors: corrupt, with the first difference; io; over_budget; cancelled.
Result<VerifyReport> verify_film(const VerifyRequest& request);

}  // namespace weir::film
