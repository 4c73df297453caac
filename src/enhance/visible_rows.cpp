#include "enhance/visible_rows.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::enhance {

VisibleRows::VisibleRows(media::PictureReader& reader) : reader_{reader}, info_{reader.info()} {}

Bytes VisibleRows::need(const media::PictureInfo& info) {
  if (!info.alpha) return Bytes{};
  const std::size_t row = info.row_bytes() + static_cast<std::size_t>(info.width) * sizeof(int);
  return Bytes{row} * (2 * kReach + 2);
}

Status VisibleRows::begin() {
  window_.clear();
  first_ = 0;
  next_ = 0;
  carried_.assign(info_.row_bytes(), std::byte{0});
  return reader_.rewind();
}

bool VisibleRows::visible(const Row& row, int x) const {
  const std::size_t bytes = static_cast<std::size_t>(info_.bits / 8);
  const std::byte* alpha =
      row.samples.data() + (static_cast<std::size_t>(x) * info_.channels() + info_.colours) * bytes;
  return std::any_of(alpha, alpha + bytes, [](std::byte b) { return b != std::byte{0}; });
}

Status VisibleRows::read_row() {
  Row row;
  row.samples.resize(info_.row_bytes());
  if (auto status = reader_.read(row.samples); !status) return status;
  row.nearest.assign(static_cast<std::size_t>(info_.width), -1);
  int last = -1;
  for (int x = 0; x < info_.width; ++x) {
    if (visible(row, x))
      last = x;
    else
      row.hidden = true;
    row.nearest[static_cast<std::size_t>(x)] = last;
  }
  last = -1;
  for (int x = info_.width - 1; row.hidden && x >= 0; --x) {
    if (visible(row, x)) last = x;
    int& nearest = row.nearest[static_cast<std::size_t>(x)];
    if (last >= 0 && (nearest < 0 || last - x < x - nearest)) nearest = last;
  }
  window_.push_back(std::move(row));
  return ok();
}

void VisibleRows::fill(std::size_t centre, std::span<std::byte> row) {
  const std::size_t colour = static_cast<std::size_t>(info_.colours) * (info_.bits / 8);
  const std::size_t pixel = static_cast<std::size_t>(info_.channels()) * (info_.bits / 8);
  const int reach = kReach;
  for (int x = 0; x < info_.width; ++x) {
    if (visible(window_[centre], x)) continue;
    long best = static_cast<long>(reach) * reach + 1;
    const std::byte* from = nullptr;
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
        from = other.samples.data() + static_cast<std::size_t>(nearest) * pixel;
      }
    }
    if (from == nullptr) from = x > 0 ? row.data() + static_cast<std::size_t>(x - 1) * pixel : carried_.data();
    std::memcpy(row.data() + static_cast<std::size_t>(x) * pixel, from, colour);
  }
}

Status VisibleRows::next(std::span<std::byte> row) {
  if (!info_.alpha) return reader_.read(row);
  const int want = std::min(info_.height, next_ + kReach + 1);
  while (first_ + static_cast<int>(window_.size()) < want) {
    if (auto status = read_row(); !status) return status;
  }
  const auto centre = static_cast<std::size_t>(next_ - first_);
  std::copy(window_[centre].samples.begin(), window_[centre].samples.end(), row.begin());
  if (window_[centre].hidden) fill(centre, row);
  std::copy(row.begin(), row.end(), carried_.begin());
  ++next_;
  while (first_ < next_ - kReach) {
    window_.pop_front();
    ++first_;
  }
  return ok();
}

}  // namespace weir::enhance
