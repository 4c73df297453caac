#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "media/picture/picture.hpp"
#include "media/picture/row_queue.hpp"
#include "weir/upscale.hpp"

namespace weir::api {

/// Adapts the caller's RowSource to the PictureReader interface, from which the engine reads. The source must outlive
/// this object.
class SourceReader final : public media::PictureReader {
 public:
  SourceReader(const media::PictureInfo& info, RowSource& source) : info_{info}, source_{source} {}
  const media::PictureInfo& info() const override { return info_; }
  media::MetadataPtr metadata() const override { return nullptr; }
  media::MediaNeed need() const override { return {}; }
  Status read(std::span<std::byte> rows) override;
  Status rewind() override;

 private:
  media::PictureInfo info_;
  RowSource& source_;
};

/// Adapts the caller's RowSink to the PictureWriter interface, to which the engine writes. If the engine's rows do not
/// have the final size, a separate thread resizes them and calls the sink. The sink must outlive this object.
class SinkWriter final : public media::PictureWriter {
 public:
  SinkWriter(const media::WriteOptions& options, RowSink& sink);
  ~SinkWriter() override;
  Status write(std::span<const std::byte> rows) override;
  Result<media::WriteReport> finish() override;

 private:
  /// Passes rows to the sink. Errors: io.
  Status pass_on(std::span<const std::byte> rows);
  /// Reads rows from the queue, resizes them and passes them to the sink; runs in the separate thread.
  Status resize();

  media::WriteOptions options_;
  RowSink& sink_;
  std::optional<media::RowQueue> queue_;  // passes rows to the thread; only if rows are resized
  Status resized_ = ok();                 // result of resize()
  std::thread thread_;
};

/// Reads the caller's planes (one channel each) as interleaved rows. The planes must outlive this object.
class PlaneSource final : public RowSource {
 public:
  PlaneSource(const PictureShape& shape, std::span<const PlaneView> planes) : shape_{shape}, planes_{planes} {}
  bool read(std::span<std::byte> rows) override;
  bool rewind() override {
    row_ = 0;
    return true;
  }

 private:
  PictureShape shape_;
  std::span<const PlaneView> planes_;
  int row_ = 0;  // the next row to read
};

/// Writes interleaved rows to the caller's planes (one channel each). The planes must outlive this object.
class PlaneSink final : public RowSink {
 public:
  PlaneSink(const PictureShape& shape, std::span<const MutablePlane> planes) : shape_{shape}, planes_{planes} {}
  bool write(std::span<const std::byte> rows) override;

 private:
  PictureShape shape_;
  std::span<const MutablePlane> planes_;
  int row_ = 0;  // the next row to write
};

}  // namespace weir::api
