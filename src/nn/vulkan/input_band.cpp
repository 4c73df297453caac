#include "nn/vulkan/input_band.hpp"

#include <algorithm>
#include <cassert>

namespace weir::nn::vulkan {

namespace {

constexpr int kPlanes = 3;
constexpr int kRowsAtOnce = 16;  // rows that are read with one call

}  // namespace

Status InputBand::require(int first, int last) {
  const std::size_t row_size = static_cast<std::size_t>(extent_.width) * kPlanes;
  if (first > first_) {
    const int dropped_rows = std::min(first, last_) - first_;
    rows_.erase(rows_.begin(),
                rows_.begin() + static_cast<std::ptrdiff_t>(row_size * static_cast<std::size_t>(dropped_rows)));
    first_ += dropped_rows;
  }
  while (last_ < last) {
    // Rows above `first` must be read and dropped, because the input delivers rows in order.
    const int count = std::min(kRowsAtOnce, (last_ < first ? first : last) - last_);
    const bool is_kept = last_ >= first;
    if (!is_kept) rows_.clear();
    const std::size_t old_size = rows_.size();
    rows_.resize(old_size + row_size * static_cast<std::size_t>(count));
    PlanarRows rows;
    rows.first = last_;
    rows.count = count;
    rows.width = extent_.width;
    rows.planes = kPlanes;
    rows.plane_stride = extent_.width;
    for (int i = 0; i < count; ++i)
      rows.row.push_back(rows_.data() + old_size + row_size * static_cast<std::size_t>(i));
    if (auto filled = input_.fill(rows); !filled) return filled;
    last_ += count;
    if (!is_kept) {
      rows_.clear();
      first_ = last_;
    }
  }
  return ok();
}

const float* InputBand::row(int plane, int y) const {
  assert(y >= first_ && y < last_);
  return rows_.data() + (static_cast<std::size_t>(y - first_) * kPlanes + static_cast<std::size_t>(plane)) *
                            static_cast<std::size_t>(extent_.width);
}

void InputBand::copy_planes(const Rect& rect, float* to) const {
  for (int plane = 0; plane < kPlanes; ++plane) {
    for (int y = rect.top; y < rect.bottom; ++y) {
      const float* from = row(plane, y);
      to = std::copy(from + rect.left, from + rect.right, to);
    }
  }
}

void InputBand::copy_samples(const Rect& rect, std::uint8_t* to) const {
  for (int plane = 0; plane < kPlanes; ++plane) {
    for (int y = rect.top; y < rect.bottom; ++y) {
      const float* from = row(plane, y);
      to = std::transform(from + rect.left, from + rect.right, to, [](float value) {
        return static_cast<std::uint8_t>(static_cast<int>(value * 255.0F + 0.5F));
      });
    }
  }
}

ColourRange InputBand::colour_range(const Rect& rect) const {
  ColourRange range;
  const int left = std::max(rect.left, 0);
  const int right = std::min(rect.right, extent_.width);
  if (left >= right) return range;
  for (int plane = 0; plane < kPlanes; ++plane) {
    for (int y = std::max(rect.top, first_); y < std::min(rect.bottom, last_); ++y) {
      const float* from = row(plane, y);
      const auto [low, high] = std::minmax_element(from + left, from + right);
      const auto colour = static_cast<std::size_t>(plane);
      range.low[colour] = std::min(range.low[colour], *low);
      range.high[colour] = std::max(range.high[colour], *high);
    }
  }
  return range;
}

}  // namespace weir::nn::vulkan
