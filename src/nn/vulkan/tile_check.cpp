#include "nn/vulkan/tile_check.hpp"

#include <algorithm>
#include <cmath>

namespace weir::nn::vulkan {

namespace {

constexpr float kManyColours = 0.25F;

}  // namespace

Status check_tile(const float* planes, std::size_t pixels, const TileRange& range) {
  float widest = -1;
  for (std::size_t p = 0; p < range.low.size(); ++p) widest = std::max(widest, range.high[p] - range.low[p]);
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
    if (not_numbers != 0) return Error{Errc::bad_values, "the device made values that are no numbers"};
    one_colour = one_colour && differences == 0;
  }
  if (one_colour && widest >= kManyColours)
    return Error{Errc::bad_values, "the device made one colour of a part of the picture that has many"};
  return ok();
}

}  // namespace weir::nn::vulkan
