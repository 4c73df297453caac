#include "media/picture/bmp_rle_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace weir::media {
namespace {

/// The meanings of a code's second byte if its first byte is 0. From 3 on it is the number of literal pixels.
enum Escape : unsigned { kEndOfRow = 0, kEndOfBitmap = 1, kMove = 2 };

}  // namespace

/// Reads the bytes of the stream in order and decodes its runs.
class BmpRleReader::Stream {
 public:
  Stream(const InputFile& file, std::uint64_t at) : file_{file}, offset_{at} {}

  /// A code. It is a run of `count` pixels if `count` is not 0. The pixels are stored one by one after the code
  /// (literal), or they repeat the index in `value` (with four bits, the two indices). If `count` is 0, `value` is an
  /// Escape.
  struct Run {
    unsigned count = 0, value = 0;
    bool is_literal = false;
    unsigned right = 0, up = 0;  // distances of the escape kMove, in pixels
  };
  /// Returns nothing at the end of the file or after a failed read.
  std::optional<Run> read_run() {
    const unsigned count = read_byte(), value = read_byte();
    Run run{.count = count, .value = value};
    if (count == 0 && value > kMove) run = {.count = value, .is_literal = true};
    if (count == 0 && value == kMove) {
      run.right = read_byte();
      run.up = read_byte();
    }
    return has_ended_ ? std::nullopt : std::optional{run};
  }
  unsigned read_byte() {
    if (next_index_ == buffered_bytes_) fill();
    if (next_index_ == buffered_bytes_) {
      has_ended_ = true;
      return 0;
    }
    ++offset_;
    return std::to_integer<unsigned>(buffer_[next_index_++]);
  }
  void skip(unsigned count) {
    for (unsigned i = 0; i < count; ++i) read_byte();
  }
  std::uint64_t offset() const { return offset_; }
  bool has_ended() const { return has_ended_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  // Reads the next bytes of the file into buffer_.
  void fill() {
    auto got = file_.read_at(offset_, buffer_);
    if (!got) failure_ = got.error();
    next_index_ = 0;
    buffered_bytes_ = got ? *got : 0;
  }

  const InputFile& file_;
  std::uint64_t offset_;  // byte offset in the file of the next byte
  std::array<std::byte, 4096> buffer_;
  std::size_t next_index_ = 0, buffered_bytes_ = 0;  // index of the next byte in buffer_; number of bytes in buffer_
  bool has_ended_ = false;  // a byte could not be read, because the file ended or reading failed
  std::optional<Error> failure_;
};

namespace {

// Returns the number of bytes in the file of `count` literal pixels, with the padding to an even number of bytes.
unsigned stored_bytes(unsigned count, int depth) {
  const unsigned bytes = depth == 8 ? count : (count + 1) / 2;
  return bytes + bytes % 2;
}

}  // namespace

Bytes BmpRleReader::need(int width, int height) {
  return Bytes{static_cast<std::uint64_t>(height) * sizeof(RowStart) + static_cast<std::uint64_t>(width)} + 16_KiB;
}

Status BmpRleReader::index_rows() {
  row_starts_.assign(static_cast<std::size_t>(height_), {});
  Stream stream{*file_, offset_};
  int y = 0, x = 0;
  row_starts_[0] = {offset_, 0};
  // After each code, (x, y) is the position of the next pixel; y counts from the bottom.
  while (y < height_) {
    const auto run = stream.read_run();
    if (!run) break;
    const bool is_escape = run->count == 0;
    if (is_escape && run->value == kEndOfBitmap) return ok();
    if (run->is_literal) stream.skip(stored_bytes(run->count, depth_));
    if (!is_escape) x = std::min<int>(width_, x + static_cast<int>(run->count));
    if (!is_escape || (run->value == kMove && run->up == 0)) {
      x = std::min<int>(width_, x + static_cast<int>(run->right));
      continue;
    }
    y += run->value == kMove ? static_cast<int>(run->up) : 1;
    x = run->value == kMove ? std::min<int>(width_, x + static_cast<int>(run->right)) : 0;
    if (y < height_) row_starts_[static_cast<std::size_t>(y)] = {stream.offset(), x};
  }
  if (stream.failure()) {
    row_starts_.clear();  // incomplete: the next call must read the stream again
    return *stream.failure();
  }
  // If only the end marker is missing, no pixel is missing.
  if (stream.has_ended() && !(y == height_ - 1 && x >= width_)) truncated_row_ = y;
  return ok();
}

Result<int> BmpRleReader::complete_rows() {
  if (row_starts_.empty())
    if (auto found = index_rows(); !found) return found.error();
  return truncated_row_ >= 0 ? truncated_row_ : height_;
}

Status BmpRleReader::read_row(int row, std::span<std::byte> indices) {
  if (row_starts_.empty())
    if (auto found = index_rows(); !found) return found;
  if (truncated_row_ >= 0 && row >= truncated_row_)
    return file_->error(Errc::corrupt, "BMP: row " + std::to_string(height_ - row) + " of " + std::to_string(height_) +
                                           " is missing; the file is damaged, get it again");
  std::fill(indices.begin(), indices.end(), std::byte{0});
  const auto start = row_starts_[static_cast<std::size_t>(row)];
  if (start.offset == 0) return ok();
  Stream stream{*file_, start.offset};
  auto x = static_cast<std::size_t>(start.first_x);
  while (const auto run = stream.read_run()) {
    if (run->count == 0) {
      if (run->value != kMove || run->up != 0) break;
      x += run->right;
      continue;
    }
    unsigned packed_indices = run->value;  // one index of 8 bits, or two of 4 bits
    for (unsigned i = 0; i < run->count; ++i, ++x) {
      if (run->is_literal && (depth_ == 8 || i % 2 == 0)) packed_indices = stream.read_byte();
      const unsigned index = depth_ == 8 ? packed_indices : (i % 2 == 0 ? packed_indices >> 4 : packed_indices & 15);
      if (x < indices.size()) indices[x] = static_cast<std::byte>(index);
    }
    if (run->is_literal)
      stream.skip(stored_bytes(run->count, depth_) - (depth_ == 8 ? run->count : (run->count + 1) / 2));
  }
  if (stream.failure()) return *stream.failure();
  return ok();
}

}  // namespace weir::media
