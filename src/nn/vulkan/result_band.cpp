#include "nn/vulkan/result_band.hpp"

#include <algorithm>
#include <cstring>

#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/samples_layout.hpp"
#include "nn/vulkan/tile_check.hpp"

namespace weir::nn::vulkan {

Status ResultBand::take(const Rect& rect, std::byte* tile, const ColourRange& range) {
  return as_samples_ ? take_samples(rect, tile, range) : take_planes(rect, reinterpret_cast<float*>(tile), range);
}

/// A tile as wide as the picture goes out from where the device wrote it; others wait for their neighbours.
Status ResultBand::take_planes(const Rect& rect, float* tile, const ColourRange& range) {
  const std::size_t width = at(rect.width());
  if (auto good = check_tile(tile, at(rect.height()) * width, range); !good) return good;
  if (rect.width() == extent_.width) return emit_planes(rect, tile);
  const std::size_t whole = at(extent_.width);
  planes_.resize(std::size_t{3} * at(rect.height()) * whole);
  for (std::size_t row = 0; row < std::size_t{3} * at(rect.height()); ++row)
    std::copy_n(tile + row * width, width, planes_.data() + row * whole + at(rect.left));
  if (rect.right < extent_.width) return ok();
  return emit_planes({rect.top, 0, rect.bottom, extent_.width}, planes_.data());
}

Status ResultBand::take_samples(const Rect& rect, const std::byte* tile, const ColourRange& range) {
  if (auto good = check_samples(tile, rect, range); !good) return good;
  const SamplesLayout layout{rect};
  if (rect.left == 0) uneven_.assign(layout.rows, false);
  for (std::size_t row = 0; row < layout.rows; ++row) uneven_[row] = uneven_[row] || is_uneven(tile, layout, row);
  const auto* const from = reinterpret_cast<const std::uint8_t*>(tile);
  if (rect.width() == extent_.width) return emit_samples(rect.top, rect.bottom, from, layout.row_bytes);
  const std::size_t whole = 3 * at(extent_.width);
  samples_.resize(layout.rows * whole);
  for (std::size_t row = 0; row < layout.rows; ++row) {
    std::uint8_t* const to = samples_.data() + row * whole + 3 * at(rect.left);
    std::memcpy(to, from + row * layout.row_bytes, 3 * at(rect.width()));
    if (rect.left > 0) uneven_[row] = uneven_[row] || std::memcmp(to - 3, to, 3) != 0;
  }
  if (rect.right < extent_.width) return ok();
  return emit_samples(rect.top, rect.bottom, samples_.data(), whole);
}

template <class Emit>
Status ResultBand::in_pieces(int top, int bottom, Emit&& emit) {
  constexpr int kRowsAtOnce = 64;
  // Rows that a run before a fault has passed on are made again with their tile, and not passed on again.
  for (int first = std::max(top, next_row_); first < bottom; first += kRowsAtOnce) {
    const int count = std::min(kRowsAtOnce, bottom - first);
    if (auto taken = emit(first, count); !taken) return taken;
    next_row_ = first + count;
  }
  return ok();
}

/// `planes` is [3][h][w] of the rectangle, which is as wide as the result.
Status ResultBand::emit_planes(Rect rect, float* planes) {
  return in_pieces(rect.top, rect.bottom, [&](int first, int count) {
    PlanarRows rows;
    rows.first = first;
    rows.count = count;
    rows.width = rect.width();
    rows.planes = 3;
    rows.plane_stride = static_cast<std::ptrdiff_t>(rect.height()) * rect.width();
    for (int i = 0; i < count; ++i) rows.row.push_back(planes + at(first - rect.top + i) * at(rect.width()));
    return output_.planes(rows);
  });
}

Status ResultBand::emit_samples(int top, int bottom, const std::uint8_t* samples, std::size_t row_bytes) {
  return in_pieces(top, bottom, [&](int first, int count) {
    const auto begin = uneven_.begin() + (first - top);
    return output_.samples(
        {first, count, extent_.width, samples + at(first - top) * row_bytes, row_bytes, {begin, begin + count}});
  });
}

}  // namespace weir::nn::vulkan
