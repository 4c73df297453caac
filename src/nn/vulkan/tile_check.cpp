#include "nn/vulkan/tile_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace weir::nn::vulkan {

namespace {

constexpr float kManyColours = 0.25F;

bool has_many_colours(const TileRange& range) {
  float widest = -1;
  for (std::size_t p = 0; p < range.low.size(); ++p) widest = std::max(widest, range.high[p] - range.low[p]);
  return widest >= kManyColours;
}

Error no_numbers() { return {Errc::bad_values, "the device made values that are no numbers"}; }
Error one_colour_only() {
  return {Errc::bad_values, "the device made one colour of a part of the picture that has many"};
}

/// The bits of all pieces of a row.
std::uint32_t seen_of(const std::byte* tile, const SamplesLayout& layout, std::size_t row) {
  std::uint32_t all = 0;
  for (std::size_t piece = 0; piece < layout.pieces; ++piece) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, tile + layout.seen_at() + (row * layout.pieces + piece) * sizeof bits, sizeof bits);
    all |= bits;
  }
  return all;
}

}  // namespace

Status check_tile(const float* planes, std::size_t pixels, const TileRange& range) {
  bool one_colour = pixels > 1;
  for (std::size_t p = 0; p < range.low.size(); ++p) {
    const float* values = planes + p * pixels;
    // x - x is zero for numbers alone; the sum of it over all is then zero.
    float not_numbers = 0;
    float differences = 0;
    for (std::size_t i = 0; i < pixels; ++i) {
      not_numbers += values[i] - values[i];
      differences += std::fabs(values[i] - values[0]);
    }
    if (not_numbers != 0) return no_numbers();
    one_colour = one_colour && differences == 0;
  }
  if (one_colour && has_many_colours(range)) return one_colour_only();
  return ok();
}

Status check_samples(const std::byte* tile, const Rect& rect, const TileRange& range) {
  const SamplesLayout layout{rect};
  bool one_colour = layout.rows * static_cast<std::size_t>(rect.width()) > 1;
  for (std::size_t row = 0; row < layout.rows; ++row) {
    const std::uint32_t seen = seen_of(tile, layout, row);
    if ((seen & SamplesLayout::kNoNumber) != 0) return no_numbers();
    one_colour =
        one_colour && (seen & SamplesLayout::kUneven) == 0 && std::memcmp(tile, tile + row * layout.row_bytes, 3) == 0;
  }
  if (one_colour && has_many_colours(range)) return one_colour_only();
  return ok();
}

bool is_uneven(const std::byte* tile, const SamplesLayout& layout, std::size_t row) {
  return (seen_of(tile, layout, row) & SamplesLayout::kUneven) != 0;
}

}  // namespace weir::nn::vulkan
