// Source of the eight cases: EXIF 2.3 (JEITA CP-3451C), tag Orientation.
#include "media/picture/apply_orientation.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/scratch_file.hpp"

namespace weir::media {
namespace {

// usual size in bytes of a block, which is a group of rows that are transposed together
constexpr std::size_t kBlockBytes = std::size_t{2} << 20;

/// Returns the number of rows in a block, 8 to 64.
int rows_in_block(std::size_t row_bytes) {
  return static_cast<int>(std::clamp<std::size_t>(kBlockBytes / row_bytes, 8, 64));
}

void copy_pixel(std::byte* to, const std::byte* from, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to[i] = from[i];
}

void mirror_row(std::byte* row, int width, std::size_t pixel_bytes) {
  for (int left = 0, right = width - 1; left < right; ++left, --right)
    std::swap_ranges(row + left * pixel_bytes, row + (left + 1) * pixel_bytes, row + right * pixel_bytes);
}

/// The common part of the three decoders below, which read the rows of another decoder (the source).
class OrientedDecoder : public Decoder {
 public:
  OrientedDecoder(DecoderPtr decoder, const ReadOptions& options)
      : decoder_{std::move(decoder)},
        options_{options},
        source_{decoder_->info()},
        original_orientation_{decoder_->orientation()},
        pixel_bytes_{static_cast<std::size_t>(source_.channels() * source_.bits / 8)} {
    info_ = source_;
    if (is_transposed(original_orientation_)) std::swap(info_.width, info_.height);
    metadata_ = decoder_->metadata();
  }
  std::vector<Damage> damage() const override { return decoder_->damage(); }
  std::vector<std::string> losses() const override { return decoder_->losses(); }
  void release_thread_resources() override { decoder_->release_thread_resources(); }

 protected:
  // Creates the temporary file in file_.
  Status create_file() {
    auto made = ScratchFile::create(options_.spill_folder);
    if (!made) return made.error();
    file_ = *std::move(made);
    return ok();
  }
  Bytes file_bytes() const { return Bytes{source_.row_bytes()} * static_cast<std::uint64_t>(source_.height); }

  DecoderPtr decoder_;
  ReadOptions options_;
  PictureInfo source_;  // format of the rows of decoder_
  int original_orientation_;
  std::size_t pixel_bytes_;
  std::optional<ScratchFile> file_;  // all rows of the source; empty until they are decoded
};

/// Orientation 2: mirrors every row.
class MirroredDecoder final : public OrientedDecoder {
 public:
  using OrientedDecoder::OrientedDecoder;
  MediaNeed need() const override { return decoder_->need(); }
  Status restart() override { return decoder_->restart(); }
  Status read(std::span<std::byte> rows) override {
    if (auto got = decoder_->read(rows); !got) return got;
    for (std::size_t at = 0; at < rows.size(); at += info_.row_bytes())
      mirror_row(rows.data() + at, info_.width, pixel_bytes_);
    return ok();
  }
};

/// Orientations 3 and 4: reverses the order of the rows; 3 also mirrors every row.
class ReversedDecoder final : public OrientedDecoder {
 public:
  using OrientedDecoder::OrientedDecoder;
  MediaNeed need() const override {
    auto sum = decoder_->need();
    sum.disk += file_bytes();
    return sum;
  }
  Status restart() override {
    row_ = 0;
    return file_ ? ok() : decoder_->restart();
  }
  Status read(std::span<std::byte> rows) override {
    if (!file_)
      if (auto filled = fill_file(rows.first(info_.row_bytes())); !filled) return filled;
    for (std::size_t at = 0; at < rows.size(); at += info_.row_bytes(), ++row_) {
      const auto from = static_cast<std::uint64_t>(info_.height - 1 - row_) * info_.row_bytes();
      if (auto got = file_->read_at(from, rows.subspan(at, info_.row_bytes())); !got) return got;
      if (original_orientation_ == 3) mirror_row(rows.data() + at, info_.width, pixel_bytes_);
    }
    return ok();
  }

 private:
  // Decodes all source rows into file_. `row` is a buffer for one row.
  Status fill_file(std::span<std::byte> row) {
    if (auto created = create_file(); !created) return created;
    for (int y = 0; y < info_.height; ++y) {
      auto got = decoder_->read(row);
      if (got) got = file_->write_at(static_cast<std::uint64_t>(y) * row.size(), row);
      if (!got) {
        file_.reset();
        return got;
      }
    }
    return ok();
  }
  int row_ = 0;
};

/// Orientations 5 to 8: rows become columns. file_ contains blocks of source rows. Each block is stored column by
/// column, so that a few neighbouring columns are one contiguous piece in each block.
class TransposedDecoder final : public OrientedDecoder {
 public:
  TransposedDecoder(DecoderPtr decoder, const ReadOptions& options)
      : OrientedDecoder{std::move(decoder), options},
        source_block_rows_{rows_in_block(source_.row_bytes())},
        result_block_rows_{rows_in_block(info_.row_bytes())} {}
  MediaNeed need() const override {
    auto sum = decoder_->need();
    sum.disk += file_bytes();
    sum.ram += Bytes{source_.row_bytes()} * static_cast<std::uint64_t>(2 * source_block_rows_) +
               Bytes{info_.row_bytes()} * static_cast<std::uint64_t>(result_block_rows_);
    return sum;
  }
  Status restart() override {
    row_ = 0;
    ready_first_row_ = ready_end_row_ = 0;
    return file_ ? ok() : decoder_->restart();
  }
  Status read(std::span<std::byte> rows) override {
    if (!file_)
      if (auto filled = fill_file(); !filled) {
        file_.reset();
        return filled;
      }
    for (std::size_t at = 0; at < rows.size(); at += info_.row_bytes(), ++row_) {
      if (row_ >= ready_end_row_ || row_ < ready_first_row_)
        if (auto got = gather_rows(); !got) return got;
      std::memcpy(rows.data() + at,
                  ready_.get() + static_cast<std::size_t>(row_ - ready_first_row_) * info_.row_bytes(),
                  info_.row_bytes());
    }
    return ok();
  }

 private:
  // Returns the byte offset in file_ of the block that starts with this source row.
  std::uint64_t block_at(int first_row) const { return static_cast<std::uint64_t>(first_row) * source_.row_bytes(); }

  // Decodes all source rows into file_.
  Status fill_file() {
    if (auto created = create_file(); !created) return created;
    const auto row_bytes = source_.row_bytes();
    const auto rows =
        std::make_unique_for_overwrite<std::byte[]>(row_bytes * static_cast<std::size_t>(source_block_rows_));
    const auto columns =
        std::make_unique_for_overwrite<std::byte[]>(row_bytes * static_cast<std::size_t>(source_block_rows_));
    for (int y = 0; y < source_.height; y += source_block_rows_) {
      const int count = std::min(source_block_rows_, source_.height - y);
      const std::span block{rows.get(), row_bytes * static_cast<std::size_t>(count)};
      if (auto got = decoder_->read(block); !got) return got;
      for (int x = 0; x < source_.width; ++x)
        for (int i = 0; i < count; ++i)
          copy_pixel(columns.get() + (static_cast<std::size_t>(x) * count + i) * pixel_bytes_,
                     rows.get() + i * row_bytes + x * pixel_bytes_, pixel_bytes_);
      if (auto put = file_->write_at(block_at(y), {columns.get(), block.size()}); !put) return put;
    }
    return ok();
  }

  // Makes the next rows of the result (ready_). They are columns of the source, read from every block.
  Status gather_rows() {
    // whether row 0 of the result is the last (rightmost) column of the source
    const bool from_right = original_orientation_ == 7 || original_orientation_ == 8;
    // whether column 0 of the result is the last row of the source
    const bool from_bottom = original_orientation_ == 6 || original_orientation_ == 7;
    const int count = std::min(result_block_rows_, info_.height - row_);
    const int first_column = from_right ? source_.width - row_ - count : row_;
    if (!ready_) {
      ready_ =
          std::make_unique_for_overwrite<std::byte[]>(info_.row_bytes() * static_cast<std::size_t>(result_block_rows_));
      piece_ = std::make_unique_for_overwrite<std::byte[]>(pixel_bytes_ * static_cast<std::size_t>(source_block_rows_) *
                                                           result_block_rows_);
    }
    for (int y = 0; y < source_.height; y += source_block_rows_) {
      const int rows = std::min(source_block_rows_, source_.height - y);
      const std::size_t column_bytes = static_cast<std::size_t>(rows) * pixel_bytes_;
      if (auto got = file_->read_at(block_at(y) + first_column * column_bytes, {piece_.get(), count * column_bytes});
          !got)
        return got;
      for (int i = 0; i < count; ++i) {
        const std::byte* from = piece_.get() + (from_right ? count - 1 - i : i) * column_bytes;
        std::byte* to = ready_.get() + static_cast<std::size_t>(i) * info_.row_bytes();
        if (!from_bottom) {
          std::memcpy(to + y * pixel_bytes_, from, column_bytes);
          continue;
        }
        to += static_cast<std::size_t>(source_.height - y - rows) * pixel_bytes_;
        for (int k = 0; k < rows; ++k)
          copy_pixel(to + (rows - 1 - k) * pixel_bytes_, from + k * pixel_bytes_, pixel_bytes_);
      }
    }
    ready_first_row_ = row_;
    ready_end_row_ = row_ + count;
    return ok();
  }

  int source_block_rows_, result_block_rows_;
  int row_ = 0, ready_first_row_ = 0, ready_end_row_ = 0;
  // ready_: rows ready_first_row_ to ready_end_row_ - 1 of the result
  // piece_: the source columns of one block that become parts of these rows
  std::unique_ptr<std::byte[]> ready_, piece_;
};

}  // namespace

DecoderPtr apply_orientation(DecoderPtr decoder, const ReadOptions& options) {
  const int orientation = decoder->orientation();
  if (orientation == 1) return decoder;
  if (orientation == 2) return std::make_unique<MirroredDecoder>(std::move(decoder), options);
  if (orientation == 3 || orientation == 4) return std::make_unique<ReversedDecoder>(std::move(decoder), options);
  return std::make_unique<TransposedDecoder>(std::move(decoder), options);
}

}  // namespace weir::media
