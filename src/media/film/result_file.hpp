#pragma once

#include <filesystem>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/film_files.hpp"
#include "media/film/joiner.hpp"
#include "media/film/source_packets.hpp"
#include "media/film/stream_plan.hpp"

namespace weir::film {

/// A result while it is written: the container with the streams of a plan, and the times that it can express. Packets are
/// written in the order of the calls. Not thread-safe.
class ResultFile {
 public:
  /// Creates the file and writes its header. `source`: the packets that are copied; `segment`: the first segment, with
  /// the parameters of the encoded film. Errors: io; disk_full; unsupported (the container refuses a stream);
  /// over_budget.
  static Result<std::unique_ptr<ResultFile>> create(const JoinRequest& request, const StreamPlan& plan,
                                                    const SourcePackets& source, const AVStream& segment,
                                                    TimeShift shift);

  /// Writes a packet of the film. `frame`: which one; `dts`: in units of FilmIndex::time_base. Errors: io, disk_full.
  Status write_film(AVPacket& packet, FrameNumber frame, std::int64_t dts);
  /// Writes a packet of SourcePackets::next(). Errors: io, disk_full.
  Status write_copy(AVPacket& packet, const PlannedStream& planned);
  /// Completes the file and syncs it to disk. Returns its size. Call it once. Errors: io, disk_full.
  Result<Bytes> finish();

  /// Returns the number of packets of a stream of the result whose times went back and were moved forward.
  std::int64_t moved_packets(int target) const { return times_[static_cast<std::size_t>(target)].moved_packets; }

 private:
  ResultFile(const JoinRequest& request, const StreamPlan& plan, const SourcePackets& source)
      : request_{request}, plan_{plan}, source_{source} {}
  Status add_streams(const AVStream& segment);
  Status add_film(const AVStream& segment, AVStream& stream);
  Status add_copy(const PlannedStream& planned, AVStream& stream);
  Status add_cover_file(const AVStream& cover, AVStream& stream);
  Status add_chapters();
  void add_tags();
  Status write_header();
  Status write_covers();
  Status write(AVPacket& packet, int target);
  std::int64_t shift_in(AVRational unit) const;
  std::string name() const;

  const JoinRequest& request_;
  const StreamPlan& plan_;
  const SourcePackets& source_;
  TimeShift shift_;
  OutputPtr file_;
  /// What is known of the times of one stream while it is written.
  struct StreamTimes {
    std::int64_t last_dts = AV_NOPTS_VALUE;     // in units of the result
    std::int64_t delta_state = AV_NOPTS_VALUE;  // of av_rescale_delta()
    std::int64_t moved_packets = 0;
  };
  std::vector<StreamTimes> times_;
};

/// Returns the shift that a result needs: the times of the container begin at 0, and those of a source may begin earlier.
/// Reads the beginning of the source. `first_dts`: of the film, in units of FilmIndex::time_base. Errors: those of
/// SourcePackets.
Result<TimeShift> find_time_shift(const JoinRequest& request, const StreamPlan& plan, std::int64_t first_dts);

/// Returns the time that a container's reader subtracts from the stored times of a stream, in `unit`: its initial padding.
std::int64_t padding_when_read(Container container, const AVCodecParameters& parameters, AVRational unit);

}  // namespace weir::film
