#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "media/film/film_files.hpp"
#include "media/film/film_index.hpp"
#include "media/film/frame_encoder.hpp"

namespace weir::film {

/// Returns what is added to all presentation times in segments, in units of FilmIndex::time_base: NUT cannot store times
/// below 0, at which a few films begin. It is 0 for all others.
std::int64_t segment_time_offset(const FilmIndex& index);

/// Writes one segment of the result: the encoded frames in a NUT file, with the presentation times of the source, plus
/// SegmentFormat::time_offset. The first frame is a key frame, and no frame depends on another segment. NUT keeps times exactly, where other containers
/// round them; its unit of time may be an integer fraction of the source's. Not thread-safe.
class SegmentEncoder final : public FrameEncoder {
 public:
  /// Creates the file. Errors: those of FrameEncoder::open_encoder(); io; disk_full.
  static Result<std::unique_ptr<SegmentEncoder>> create(const std::filesystem::path& path, const SegmentFormat& format,
                                                        const EncodeSettings& settings);

  /// Encodes the frames that the encoder still holds, completes the file and syncs it to disk. Returns the size of the
  /// file. Call it once. Errors: those of write().
  Result<Bytes> finish();

 private:
  explicit SegmentEncoder(const std::filesystem::path& path) : path_{path} {}
  Status open_file(const SegmentFormat& format);
  Status take(AVPacket& packet) override;

  std::filesystem::path path_;
  OutputPtr file_;
};

}  // namespace weir::film
