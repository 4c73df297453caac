#include "enhance/alpha_bleed.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::enhance {

AlphaBleed::AlphaBleed(media::PictureReader& reader) : reader_{reader}, info_{reader.info()} {}

Bytes AlphaBleed::need(const media::PictureInfo& info) {
  if (!info.alpha) return Bytes{};
  const std::size_t row = info.row_bytes() + static_cast<std::size_t>(info.width) * sizeof(int);
  return Bytes{row} * (2 * kSearchRadius + 2);
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
  // From left to right `nearest` is the last visible pixel before x; then from right to left the nearer one of both
  // sides.
  int last = -1;
  for (int x = 0; x < info_.width; ++x) {
    if (is_visible(row, x))
      last = x;
    else
      row.has_hidden = true;
    row.nearest[static_cast<std::size_t>(x)] = last;
  }
  last = -1;
  for (int x = info_.width - 1; row.has_hidden && x >= 0; --x) {
    if (is_visible(row, x)) last = x;
    int& nearest = row.nearest[static_cast<std::size_t>(x)];
    if (last >= 0 && (nearest < 0 || last - x < x - nearest)) nearest = last;
  }
  window_.push_back(std::move(row));
  return ok();
}

void AlphaBleed::fill_hidden_pixels(std::size_t centre, std::span<std::byte> row) {
  const std::size_t colour_bytes = static_cast<std::size_t>(info_.colours) * (info_.bits / 8);
  const std::size_t pixel_bytes = static_cast<std::size_t>(info_.channels()) * (info_.bits / 8);
  const int reach = kSearchRadius;
  for (int x = 0; x < info_.width; ++x) {
    if (is_visible(window_[centre], x)) continue;
    long best = static_cast<long>(reach) * reach + 1;  // square of the smallest distance so far
    const std::byte* from = nullptr;
    // Rows at distance d above and below; it ends when all further rows are farther than the best pixel.
    for (int d = 0; static_cast<long>(d) * d < best; ++d) {
      for (const int y : {static_cast<int>(centre) - d, static_cast<int>(centre) + d}) {
        if (y < 0 || y >= static_cast<int>(window_.size())) continue;
        const Row& other = window_[static_cast<std::size_t>(y)];
        const int nearest = other.nearest[static_cast<std::size_t>(x)];
        if (nearest < 0) continue;
        const long dx = nearest - x;
        const long distance = dx * dx + static_cast<long>(d) * d;
        if (distance >= best) continue;
        best = distance;
        from = other.samples.data() + static_cast<std::size_t>(nearest) * pixel_bytes;
      }
    }
    // No visible pixel is near: the new colour of the pixel to the left, or in column 0 of the row above.
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
