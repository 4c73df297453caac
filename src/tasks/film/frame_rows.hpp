#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "media/picture/picture.hpp"

namespace weir::film {

/// Reads a picture of 16-bit samples that is in memory: [height, width, colours]. `samples` must outlive the object.
class FrameRowReader final : public media::PictureReader {
 public:
  FrameRowReader(const media::PictureInfo& info, std::span<const std::uint16_t> samples)
      : info_{info}, bytes_{std::as_bytes(samples)} {}
  const media::PictureInfo& info() const override { return info_; }
  media::MetadataPtr metadata() const override { return nullptr; }
  media::MediaNeed need() const override { return {}; }
  Status read(std::span<std::byte> rows) override;
  Status rewind() override {
    position_ = 0;
    return ok();
  }

 private:
  media::PictureInfo info_;
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;  // of the next row, in bytes
};

/// Writes the rows of a picture into memory: [height, width, colours] of 16 bits. `samples` must outlive the object.
class FrameRowWriter final : public media::PictureWriter {
 public:
  explicit FrameRowWriter(std::span<std::uint16_t> samples) : bytes_{std::as_writable_bytes(samples)} {}
  Status write(std::span<const std::byte> rows) override;
  Result<media::WriteReport> finish() override;

 private:
  std::span<std::byte> bytes_;
  std::size_t position_ = 0;
};

}  // namespace weir::film
