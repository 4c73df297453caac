#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/film_files.hpp"
#include "media/film/joiner.hpp"
#include "media/film/source_packets.hpp"
#include "media/film/stream_plan.hpp"

namespace weir::film {

/// A result to write. The references must outlive the ResultFile.
struct ResultRequest {
  const std::filesystem::path& output;  ///< the file to write, or a name for messages if `io` is given
  AVIOContext* io = nullptr;            ///< where the file is written; null: it is created as `output`
  const StreamPlan& plan;
  const AVFormatContext& source;
  const PacketConverter& converter;  ///< of the source's packets
  const AVCodecParameters& film;     ///< of the encoded film
  Fraction time_base;                ///< unit of the times of the film's packets
  Fraction frame_rate{0, 1};         ///< of the film, if it is constant; otherwise 0/1
  const DisplayProperties& display;
  std::optional<TimeWindow> window = {};  ///< the part of the source that the result has; empty: all of it
  TimeShift shift = {};
};

/// A result while it is written: the container with the streams of a plan, and the times that it can express. Packets
/// are written in the order of the calls. Not thread-safe.
class ResultFile {
 public:
  /// Creates the file and writes its header. Errors: io; disk_full; unsupported (the container refuses a stream);
  /// over_budget.
  static Result<std::unique_ptr<ResultFile>> create(const ResultRequest& request);

  /// Writes a packet of the film, whose times are in units of ResultRequest::time_base. Errors: io, disk_full.
  Status write_film(AVPacket& packet);
  /// Writes a packet that PacketConverter has converted. Errors: io, disk_full.
  Status write_copy(AVPacket& packet, const PlannedStream& planned);
  /// Completes the file; syncs it to disk if it was created here. Returns its size. Call it once. Errors: io,
  /// disk_full.
  Result<Bytes> finish();

  /// Returns whether a packet of a stream of the result was written.
  bool has_packets(int target) const { return times_[static_cast<std::size_t>(target)].has_packets; }
  /// Returns the number of packets of a stream of the result whose times went back and were moved forward.
  std::int64_t moved_packets(int target) const { return times_[static_cast<std::size_t>(target)].moved_packets; }

 private:
  explicit ResultFile(const ResultRequest& request) : request_{request} {}
  Status add_streams();
  Status add_film(AVStream& stream);
  Status add_copy(const PlannedStream& planned, AVStream& stream);
  Status add_cover_file(const AVStream& cover, AVStream& stream);
  Status add_chapters();
  void add_tags();
  Status write_header();
  Status write_covers();
  Status write(AVPacket& packet, int target);
  AVRational film_unit() const { return {request_.time_base.numerator, request_.time_base.denominator}; }
  std::string name() const;

  ResultRequest request_;
  std::vector<const AVStream*> sources_;  // a reader on another thread may replace the list of the source
  OutputPtr file_;
  /// What is known of the times of one stream while it is written.
  struct StreamTimes {
    std::int64_t last_dts = AV_NOPTS_VALUE;     // in units of the result
    std::int64_t delta_state = AV_NOPTS_VALUE;  // of av_rescale_delta()
    std::int64_t moved_packets = 0;
    bool has_packets = false;
  };
  std::vector<StreamTimes> times_;
};

/// Finds the shift that a result needs: the times of its container begin at 0, and those of a source may begin earlier.
class ShiftFinder {
 public:
  /// `film_unit`: that of the film's times; `first_time`: of the film's first frame, or, for a container that has
  /// decoding times from 0, its first decoding time; `window`: the part of the source that the result has, in units of
  /// `film_unit`.
  ShiftFinder(const StreamPlan& plan, Fraction film_unit, std::int64_t first_time,
              const std::optional<TimeWindow>& window = {});
  /// Takes the next packet of the source, with times in `packet_unit`. `parameters`: of the stream in the result. Only
  /// the first packet of each stream counts.
  void add(const AVPacket& packet, AVRational packet_unit, const AVCodecParameters& parameters);
  /// Returns whether a stream with sound or pictures has had no packet yet.
  bool is_incomplete() const { return !missing_.empty(); }
  TimeShift shift() const;
  const std::optional<TimeWindow>& window() const { return window_; }

 private:
  const ContainerRow& row_;
  std::optional<TimeWindow> window_;
  TimeShift shift_;        // without its count
  std::set<int> missing_;  // by index in the source
  std::int64_t earliest_;  // in the unit of shift_, after its origin
};

/// Finds the shift from the beginning of a source. Errors: those of SourcePackets.
Result<TimeShift> find_time_shift(const std::filesystem::path& source, ShiftFinder finder, const StreamPlan& plan,
                                  std::stop_token stop);

/// Returns the time that a container's reader subtracts from the stored times of a stream, in `unit`: its initial
/// padding.
std::int64_t padding_when_read(Container container, const AVCodecParameters& parameters, AVRational unit);

}  // namespace weir::film
