#include "nn/vulkan/tile_check.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>

namespace weir::nn::vulkan {

namespace {

Status verdict(const compute::Seen& seen, const ColourRange& under) {
  switch (judge(seen, under)) {
    case Suspicion::none:
      break;
    case Suspicion::no_numbers:
      return Error{Errc::bad_values, "the device made values that are no numbers"};
    case Suspicion::one_colour:
      return Error{Errc::bad_values, "the device made one colour of a part of the picture that has many"};
  }
  return ok();
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

Status check_tile(const float* planes, std::size_t pixels, const ColourRange& under) {
  compute::Seen seen;
  for (std::size_t p = 0; p < under.low.size(); ++p) {
    const float* values = planes + p * pixels;
    // x - x is zero for numbers alone; the sum of it over all is then zero.
    float not_numbers = 0;
    float differences = 0;
    for (std::size_t i = 0; i < pixels; ++i) {
      not_numbers += values[i] - values[i];
      differences += std::fabs(values[i] - values[0]);
    }
    seen.not_finite = seen.not_finite || not_numbers != 0;
    seen.unequal = seen.unequal || differences != 0;
  }
  return verdict(seen, under);
}

Status check_samples(const std::byte* tile, const Rect& rect, const ColourRange& under) {
  const SamplesLayout layout{rect};
  compute::Seen seen;
  for (std::size_t row = 0; row < layout.rows; ++row) {
    const std::uint32_t bits = seen_of(tile, layout, row);
    seen.not_finite = seen.not_finite || (bits & SamplesLayout::kNoNumber) != 0;
    seen.unequal = seen.unequal || (bits & SamplesLayout::kUneven) != 0 ||
                   std::memcmp(tile, tile + row * layout.row_bytes, 3) != 0;
  }
  return verdict(seen, under);
}

bool is_uneven(const std::byte* tile, const SamplesLayout& layout, std::size_t row) {
  return (seen_of(tile, layout, row) & SamplesLayout::kUneven) != 0;
}

}  // namespace weir::nn::vulkan
