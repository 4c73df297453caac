#include "nn/vulkan/tile_check.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace weir::nn::vulkan {

namespace {

/// Returns the error for the fault that check_values() finds; ok if there is none.
Status to_status(const compute::ValueSummary& summary, const ColourRange& source_range) {
  switch (check_values(summary, source_range)) {
    case ValueFault::none:
      break;
    case ValueFault::not_finite:
      return Error{Errc::bad_values, "the device computed values that are infinite or NaN"};
    case ValueFault::single_colour:
      return Error{Errc::bad_values, "the device computed a single colour for a part of the picture that has several"};
  }
  return ok();
}

/// Returns the combined flags of all words of a row.
std::uint32_t row_flags(const std::byte* tile, const SamplesLayout& layout, std::size_t row) {
  std::uint32_t all = 0;
  for (std::size_t word = 0; word < layout.flags_per_row; ++word) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, tile + layout.flags_offset() + (row * layout.flags_per_row + word) * sizeof bits, sizeof bits);
    all |= bits;
  }
  return all;
}

}  // namespace

Status check_tile(const float* planes, std::size_t pixels, const ColourRange& source_range) {
  compute::ValueSummary summary;
  for (std::size_t plane = 0; plane < source_range.low.size(); ++plane) {
    const float* values = planes + plane * pixels;
    // Without a branch, and with integers, which may be combined in any order: so the compiler uses vectors.
    unsigned non_finite = 0;
    unsigned unequal = 0;
    for (std::size_t i = 0; i < pixels; ++i) {
      non_finite |= static_cast<unsigned>(!(std::fabs(values[i]) <= std::numeric_limits<float>::max()));
      unequal |= static_cast<unsigned>(values[i] != values[0]);
    }
    summary.has_non_finite = summary.has_non_finite || non_finite != 0;
    summary.has_unequal = summary.has_unequal || unequal != 0;
  }
  return to_status(summary, source_range);
}

Status check_samples(const std::byte* tile, const Rect& rect, const ColourRange& source_range) {
  const SamplesLayout layout{rect};
  compute::ValueSummary summary;
  for (std::size_t row = 0; row < layout.rows; ++row) {
    const std::uint32_t bits = row_flags(tile, layout, row);
    summary.has_non_finite = summary.has_non_finite || (bits & SamplesLayout::kNotFinite) != 0;
    summary.has_unequal = summary.has_unequal || (bits & SamplesLayout::kNonUniform) != 0 ||
                          std::memcmp(tile, tile + row * layout.row_bytes, 3) != 0;
  }
  return to_status(summary, source_range);
}

bool is_non_uniform(const std::byte* tile, const SamplesLayout& layout, std::size_t row) {
  return (row_flags(tile, layout, row) & SamplesLayout::kNonUniform) != 0;
}

}  // namespace weir::nn::vulkan
