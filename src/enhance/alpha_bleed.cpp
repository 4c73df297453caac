#include "enhance/alpha_bleed.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::enhance {

AlphaBleed::AlphaBleed(media::PictureReader& reader) : reader_{reader}, info_{reader.info()} {}

Bytes AlphaBleed::need(const media::PictureInfo& info) {
  if (!info.alpha) return Bytes{};
  const std::size_t row = info.row_bytes() + static_cast<std::size_t>(info.width) * sizeof(int);
  constexpr int kWindowRows = 2 * kSearchRadius + 1;  // the row to deliver, and the rows above and below it
  return Bytes{row} * (kWindowRows + 1);              // one more for last_row_
}

Status AlphaBleed::rewind() {
  window_.clear();
  first_ = 0;
  next_ = 0;
  last_row_.assign(info_.row_bytes(), std::byte{0});
  return reader_.rewind();
}

bool AlphaBleed::is_visible(const Row& row, int x) const {
  const std::size_t bytes = static_cast<std::size_t>(info_.bits / 8);
  const std::byte* alpha =
      row.samples.data() + (static_cast<std::size_t>(x) * info_.channels() + info_.colours) * bytes;
  return std::any_of(alpha, alpha + bytes, [](std::byte b) { return b != std::byte{0}; });
}

Status AlphaBleed::read_row() {
  Row row;
  row.samples.resize(info_.row_bytes());
  if (auto status = reader_.read(row.samples); !status) return status;
  row.nearest.assign(static_cast<std::size_t>(info_.width), -1);
  // The first loop sets `nearest` to the last visible column up to x. The second loop replaces it by the first visible
  // column from x on, where that one is nearer.
  int last_visible = -1;
  for (int x = 0; x < info_.width; ++x) {
    if (is_visible(row, x))
      last_visible = x;
    else
      row.has_hidden = true;
    row.nearest[static_cast<std::size_t>(x)] = last_visible;
  }
  last_visible = -1;
  for (int x = info_.width - 1; row.has_hidden && x >= 0; --x) {
    if (is_visible(row, x)) last_visible = x;
    int& nearest = row.nearest[static_cast<std::size_t>(x)];
    if (last_visible >= 0 && (nearest < 0 || last_visible - x < x - nearest)) nearest = last_visible;
  }
  window_.push_back(std::move(row));
  return ok();
}

void AlphaBleed::fill_hidden_pixels(std::size_t centre, std::span<std::byte> row) {
  const std::size_t colour_bytes = static_cast<std::size_t>(info_.colours) * (info_.bits / 8);
  const std::size_t pixel_bytes = static_cast<std::size_t>(info_.channels()) * (info_.bits / 8);
  for (int x = 0; x < info_.width; ++x) {
    if (is_visible(window_[centre], x)) continue;
    long best_square = static_cast<long>(kSearchRadius) * kSearchRadius + 1;  // square of the smallest distance so far
    const std::byte* from = nullptr;                                          // the visible pixel at that distance
    // Searches the rows at distance d above and below, until no pixel of a farther row can be nearer.
    for (int d = 0; static_cast<long>(d) * d < best_square; ++d) {
      for (const int y : {static_cast<int>(centre) - d, static_cast<int>(centre) + d}) {
        if (y < 0 || y >= static_cast<int>(window_.size())) continue;
        const Row& other = window_[static_cast<std::size_t>(y)];
        const int nearest = other.nearest[static_cast<std::size_t>(x)];
        if (nearest < 0) continue;
        const long dx = nearest - x;
        const long square = dx * dx + static_cast<long>(d) * d;
        if (square >= best_square) continue;
        best_square = square;
        from = other.samples.data() + static_cast<std::size_t>(nearest) * pixel_bytes;
      }
    }
    // No visible pixel is near: use the new colour of the pixel to the left, or in column 0 that of the row above.
    if (from == nullptr) from = x > 0 ? row.data() + static_cast<std::size_t>(x - 1) * pixel_bytes : last_row_.data();
    std::memcpy(row.data() + static_cast<std::size_t>(x) * pixel_bytes, from, colour_bytes);
  }
}

Status AlphaBleed::read_next(std::span<std::byte> row) {
  if (!info_.alpha) return reader_.read(row);
  const int end_row = std::min(info_.height, next_ + kSearchRadius + 1);
  while (first_ + static_cast<int>(window_.size()) < end_row) {
    if (auto status = read_row(); !status) return status;
  }
  const auto centre = static_cast<std::size_t>(next_ - first_);
  std::copy(window_[centre].samples.begin(), window_[centre].samples.end(), row.begin());
  if (window_[centre].has_hidden) fill_hidden_pixels(centre, row);
  std::copy(row.begin(), row.end(), last_row_.begin());
  ++next_;
  while (first_ < next_ - kSearchRadius) {
    window_.pop_front();
    ++first_;
  }
  return ok();
}

}  // namespace weir::enhance
