#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "media/picture/picture.hpp"

namespace weir::test {

/// A PictureReader whose rows are in memory.
class MemoryReader final : public media::PictureReader {
 public:
  /// `samples` has info.row_bytes() * info.height bytes and must outlive the reader.
  MemoryReader(const media::PictureInfo& info, std::span<const std::byte> samples) : info_{info}, samples_{samples} {}
  const media::PictureInfo& info() const override { return info_; }
  media::MetadataPtr metadata() const override { return nullptr; }
  media::MediaNeed need() const override { return {}; }
  Status read(std::span<std::byte> rows) override {
    if (rows.size() > samples_.size() - at_) return Error{Errc::corrupt, "read past the last row"};
    std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), rows.size(), rows.begin());
    at_ += rows.size();
    return ok();
  }
  Status rewind() override {
    at_ = 0;
    return ok();
  }

 private:
  media::PictureInfo info_;
  std::span<const std::byte> samples_;
  std::size_t at_ = 0;
};

/// A PictureWriter that collects the rows in memory.
class MemoryWriter final : public media::PictureWriter {
 public:
  Status write(std::span<const std::byte> rows) override {
    samples_.insert(samples_.end(), rows.begin(), rows.end());
    largest_write_ = std::max(largest_write_, Bytes{rows.size()});
    return ok();
  }
  Result<media::WriteReport> finish() override { return media::WriteReport{}; }
  const std::vector<std::byte>& samples() const { return samples_; }
  /// Returns the largest number of bytes that write() received at once.
  Bytes largest_write() const { return largest_write_; }

 private:
  std::vector<std::byte> samples_;
  Bytes largest_write_;
};

}  // namespace weir::test
