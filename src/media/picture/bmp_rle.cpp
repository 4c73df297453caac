#include "media/picture/bmp_rle.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace weir::media {
namespace {

enum Escape : unsigned { kEndOfRow = 0, kEndOfBitmap = 1, kMove = 2 };

}  // namespace

/// Bytes one after the other, and the pieces that they make.
class BmpRle::Stream {
 public:
  Stream(const InputFile& file, std::uint64_t at) : file_{file}, at_{at} {}

  /// A piece of a row: `count` pixels, which repeat `value` or follow one by one; or an escape.
  struct Piece {
    unsigned count = 0, value = 0;
    bool one_by_one = false;
    unsigned right = 0, up = 0;  // of a move
  };
  std::optional<Piece> next() {
    const unsigned count = byte(), value = byte();
    Piece piece{count, value, false, 0, 0};
    if (count == 0 && value > kMove) piece = {value, 0, true, 0, 0};
    if (count == 0 && value == kMove) {
      piece.right = byte();
      piece.up = byte();
    }
    return ended_ ? std::nullopt : std::optional{piece};
  }
  unsigned byte() {
    if (next_ == got_) fill();
    if (next_ == got_) {
      ended_ = true;
      return 0;
    }
    ++at_;
    return std::to_integer<unsigned>(buffer_[next_++]);
  }
  void skip(unsigned count) {
    for (unsigned i = 0; i < count; ++i) byte();
  }
  std::uint64_t at() const { return at_; }
  bool ended() const { return ended_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  void fill() {
    auto got = file_.read_at(at_, buffer_);
    if (!got) failure_ = got.error();
    next_ = 0;
    got_ = got ? *got : 0;
  }

  const InputFile& file_;
  std::uint64_t at_;
  std::array<std::byte, 4096> buffer_;
  std::size_t next_ = 0, got_ = 0;
  bool ended_ = false;
  std::optional<Error> failure_;
};

namespace {

// Pixels that follow one by one fill up to whole pairs of bytes.
unsigned stored_bytes(unsigned count, int depth) {
  const unsigned bytes = depth == 8 ? count : (count + 1) / 2;
  return bytes + bytes % 2;
}

}  // namespace

Bytes BmpRle::need(int width, int height) {
  return Bytes{static_cast<std::uint64_t>(height) * sizeof(Start) + static_cast<std::uint64_t>(width)} + 16_KiB;
}

Status BmpRle::find_rows() {
  starts_.assign(static_cast<std::size_t>(height_), {});
  Stream stream{*file_, at_};
  int y = 0, x = 0;
  starts_[0] = {at_, 0};
  while (y < height_) {
    const auto piece = stream.next();
    if (!piece) break;
    const bool escape = piece->count == 0;
    if (escape && piece->value == kEndOfBitmap) return ok();
    if (piece->one_by_one) stream.skip(stored_bytes(piece->count, depth_));
    if (!escape) x = std::min<int>(width_, x + static_cast<int>(piece->count));
    if (!escape || (piece->value == kMove && piece->up == 0)) {
      x = std::min<int>(width_, x + static_cast<int>(piece->right));
      continue;
    }
    y += piece->value == kMove ? static_cast<int>(piece->up) : 1;
    x = piece->value == kMove ? std::min<int>(width_, x + static_cast<int>(piece->right)) : 0;
    if (y < height_) starts_[static_cast<std::size_t>(y)] = {stream.at(), x};
  }
  if (stream.failure()) return *stream.failure();
  // Nothing is missing where only the mark of the end is.
  if (stream.ended() && !(y == height_ - 1 && x >= width_)) cut_row_ = y;
  return ok();
}

Result<int> BmpRle::whole_rows() {
  if (starts_.empty())
    if (auto found = find_rows(); !found) return found.error();
  return cut_row_ >= 0 ? cut_row_ : height_;
}

Status BmpRle::read(int row, std::span<std::byte> indices) {
  if (starts_.empty())
    if (auto found = find_rows(); !found) return found;
  if (cut_row_ >= 0 && row >= cut_row_)
    return file_->error(Errc::corrupt, "BMP: row " + std::to_string(height_ - row) + " of " + std::to_string(height_) +
                                           " is missing; the file is damaged, get it again");
  std::fill(indices.begin(), indices.end(), std::byte{0});
  const auto start = starts_[static_cast<std::size_t>(row)];
  if (start.at == 0) return ok();
  Stream stream{*file_, start.at};
  auto x = static_cast<std::size_t>(start.x);
  while (const auto piece = stream.next()) {
    if (piece->count == 0) {
      if (piece->value != kMove || piece->up != 0) break;
      x += piece->right;
      continue;
    }
    unsigned bytes = piece->value;
    for (unsigned i = 0; i < piece->count; ++i, ++x) {
      if (piece->one_by_one && (depth_ == 8 || i % 2 == 0)) bytes = stream.byte();
      const unsigned index = depth_ == 8 ? bytes : (i % 2 == 0 ? bytes >> 4 : bytes & 15);
      if (x < indices.size()) indices[x] = static_cast<std::byte>(index);
    }
    if (piece->one_by_one)
      stream.skip(stored_bytes(piece->count, depth_) - (depth_ == 8 ? piece->count : (piece->count + 1) / 2));
  }
  if (stream.failure()) return *stream.failure();
  return ok();
}

}  // namespace weir::media
