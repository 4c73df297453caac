#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "media/picture/picture.hpp"
#include "media/picture/row_queue.hpp"
#include "weir/upscale.hpp"

namespace weir::api {

/// The caller's rows as the engine reads them. The source must outlive it.
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

/// The caller's sink as the engine writes to it, with the final resize if the rows are not of the final size: that runs
/// in a thread of its own. The sink must outlive it.
class SinkWriter final : public media::PictureWriter {
 public:
  SinkWriter(const media::WriteOptions& options, RowSink& sink);
  ~SinkWriter() override;
  Status write(std::span<const std::byte> rows) override;
  Result<media::WriteReport> finish() override;

 private:
  Status pass_on(std::span<const std::byte> rows);
  Status resize();

  media::WriteOptions options_;
  RowSink& sink_;
  std::optional<media::RowQueue> queue_;  // only with a resize
  Status resized_ = ok();
  std::thread thread_;
};

/// Planes as rows.
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
  int row_ = 0;
};

/// Rows as planes.
class PlaneSink final : public RowSink {
 public:
  PlaneSink(const PictureShape& shape, std::span<const MutablePlane> planes) : shape_{shape}, planes_{planes} {}
  bool write(std::span<const std::byte> rows) override;

 private:
  PictureShape shape_;
  std::span<const MutablePlane> planes_;
  int row_ = 0;
};

}  // namespace weir::api
