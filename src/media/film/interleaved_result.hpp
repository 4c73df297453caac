#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/ffmpeg.hpp"
#include "media/film/packet_converter.hpp"
#include "media/film/result_file.hpp"
#include "media/film/stream_plan.hpp"

namespace weir::film {

/// A result that is written while its source is read: the packets of the other streams come from the reading thread, long
/// before the frames that belong to them are encoded. They wait until the film has come to their time. add() and
/// write_film() may be called on two threads.
class InterleavedResult {
 public:
  /// So many bytes of packets may wait. Above that the oldest are written before the film has come to their time.
  static constexpr Bytes kMostWaiting = 32_MiB;

  /// Takes a packet of a stream of the source that is not the film; leaves `packet` empty.
  /// Errors: those of PacketConverter::convert() and ResultFile::write_copy(); unsupported, if more packets than may wait
  /// come before begin().
  Status add(AVPacket& packet);
  /// Takes the packets that came so far into account in a search for the shift.
  void find_shift(ShiftFinder& finder, const AVFormatContext& source) const;
  /// Sets where the packets go. `plan` and `converter` must outlive the object; no sound is encoded anew. Call it before
  /// write_film(), on the thread of add(). Errors: those of add().
  Status begin(std::unique_ptr<ResultFile> file, const StreamPlan& plan, PacketConverter& converter,
               AVRational film_unit);
  /// Writes a packet of the film, after the packets that come before it. Errors: io, disk_full.
  Status write_film(AVPacket& packet);
  /// Writes what waits and completes the file. Errors: io, disk_full.
  Result<Bytes> finish();
  /// The file; null before begin().
  const ResultFile* file() const { return file_.get(); }

 private:
  Status write_first();

  std::mutex mutex_;               // guards waiting_, waiting_bytes_ and the writing of file_
  std::deque<PacketPtr> waiting_;  // before begin() as they were read, then converted
  std::size_t waiting_bytes_ = 0;
  std::unique_ptr<ResultFile> file_;
  const StreamPlan* plan_ = nullptr;
  PacketConverter* converter_ = nullptr;
  AVRational film_unit_{0, 1};
};

}  // namespace weir::film
