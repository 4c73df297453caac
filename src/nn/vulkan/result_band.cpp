#include "nn/vulkan/result_band.hpp"

#include <algorithm>
#include <cstring>

#include "nn/vulkan/recording.hpp"
#include "nn/vulkan/samples_layout.hpp"
#include "nn/vulkan/tile_check.hpp"

namespace weir::nn::vulkan {

Status ResultBand::add_tile(const Rect& rect, std::byte* tile, const ColourRange& range) {
  return is_samples_ ? add_samples(rect, tile, range) : add_planes(rect, reinterpret_cast<float*>(tile), range);
}

/// A tile of the full width is passed on directly from the buffer that the device wrote. Narrower tiles are collected
/// in planes_.
Status ResultBand::add_planes(const Rect& rect, float* tile, const ColourRange& range) {
  const std::size_t width = to_index(rect.width());
  if (auto checked = check_tile(tile, to_index(rect.height()) * width, range); !checked) return checked;
  if (rect.width() == extent_.width) return emit_planes(rect, tile);
  const std::size_t full_width = to_index(extent_.width);
  planes_.resize(std::size_t{3} * to_index(rect.height()) * full_width);
  for (std::size_t row = 0; row < std::size_t{3} * to_index(rect.height()); ++row)
    std::copy_n(tile + row * width, width, planes_.data() + row * full_width + to_index(rect.left));
  if (rect.right < extent_.width) return ok();
  return emit_planes({rect.top, 0, rect.bottom, extent_.width}, planes_.data());
}

Status ResultBand::add_samples(const Rect& rect, const std::byte* tile, const ColourRange& range) {
  if (auto checked = check_samples(tile, rect, range); !checked) return checked;
  const SamplesLayout layout{rect};
  if (rect.left == 0) non_uniform_.assign(layout.rows, false);  // a new row of tiles begins
  for (std::size_t row = 0; row < layout.rows; ++row)
    non_uniform_[row] = non_uniform_[row] || is_non_uniform(tile, layout, row);
  const auto* const from = reinterpret_cast<const std::uint8_t*>(tile);
  if (rect.width() == extent_.width) return emit_samples(rect.top, rect.bottom, from, layout.row_bytes);
  const std::size_t full_row_bytes = 3 * to_index(extent_.width);
  samples_.resize(layout.rows * full_row_bytes);
  for (std::size_t row = 0; row < layout.rows; ++row) {
    std::uint8_t* const to = samples_.data() + row * full_row_bytes + 3 * to_index(rect.left);
    std::memcpy(to, from + row * layout.row_bytes, 3 * to_index(rect.width()));
    // The flags of a tile cannot cover a difference between its first pixel and the tile on its left.
    if (rect.left > 0) non_uniform_[row] = non_uniform_[row] || std::memcmp(to - 3, to, 3) != 0;
  }
  if (rect.right < extent_.width) return ok();
  return emit_samples(rect.top, rect.bottom, samples_.data(), full_row_bytes);
}

template <class Emit>
Status ResultBand::emit_in_chunks(int top, int bottom, Emit&& emit) {
  // A retry after a fault computes whole tiles again; rows that were passed on already are skipped.
  for (int first = std::max(top, next_row_); first < bottom; first += kMaxOutputRows) {
    const int count = std::min(kMaxOutputRows, bottom - first);
    if (auto emitted = emit(first, count); !emitted) return emitted;
    next_row_ = first + count;
  }
  return ok();
}

/// `planes` is [3][h][w] of the rectangle, which has the full width.
Status ResultBand::emit_planes(Rect rect, float* planes) {
  return emit_in_chunks(rect.top, rect.bottom, [&](int first, int count) {
    PlanarRows rows;
    rows.first = first;
    rows.count = count;
    rows.width = rect.width();
    rows.planes = 3;
    rows.plane_stride = static_cast<std::ptrdiff_t>(rect.height()) * rect.width();
    for (int i = 0; i < count; ++i)
      rows.row.push_back(planes + to_index(first - rect.top + i) * to_index(rect.width()));
    return output_.planes(rows);
  });
}

Status ResultBand::emit_samples(int top, int bottom, const std::uint8_t* samples, std::size_t row_bytes) {
  return emit_in_chunks(top, bottom, [&](int first, int count) {
    const auto begin = non_uniform_.begin() + (first - top);
    return output_.samples(
        {first, count, extent_.width, samples + to_index(first - top) * row_bytes, row_bytes, {begin, begin + count}});
  });
}

}  // namespace weir::nn::vulkan
