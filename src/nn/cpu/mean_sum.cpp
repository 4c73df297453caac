#include "nn/cpu/mean_sum.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace weir::nn {

namespace {

constexpr double kUnitsPerOne = 16777216.0;  // units in the value 1.0: 2^24
constexpr int kBlock = 32;                   // number of channels that are summed at a time

/// Adds `value` to `total`, which is in units of 2^-24. Returns false if the value is not finite or too large, or if
/// the total does not fit 64 bits (2^39).
bool add_units(std::int64_t& total, double value) {
  constexpr double kMaxSum = 274877906944.0;  // 2^38: 2^62 units, half of the largest 64-bit integer
  // A NaN fails the comparison.
  return std::fabs(value) < kMaxSum &&
         !__builtin_add_overflow(total, static_cast<std::int64_t>(value * kUnitsPerOne), &total);
}

}  // namespace

MeanSum::MeanSum(int threads, int channels)
    : channels_{channels},
      sums_(static_cast<std::size_t>(threads), std::vector<std::int64_t>(static_cast<std::size_t>(channels), 0)),
      overflow_(static_cast<std::size_t>(threads)) {}

void MeanSum::add(const compute::Kernels& kernels, compute::ElementType element_type, const std::byte* values,
                  int pixels, int member) {
  std::vector<std::int64_t>& total = sums_[static_cast<std::size_t>(member)];
  float converted[kBlock];
  for (int c = 0; c < channels_; c += kBlock) {
    double sum[kBlock] = {};  // exact below 2^29: all values are multiples of 2^-24, and a double has 53 bits
    for (int x = 0; x < pixels; ++x) {
      const std::size_t i =
          static_cast<std::size_t>(x) * static_cast<std::size_t>(channels_) + static_cast<std::size_t>(c);
      if (element_type == compute::ElementType::float16) {
        kernels.to_float(reinterpret_cast<const std::uint16_t*>(values) + i, converted, kBlock);
        for (int k = 0; k < kBlock; ++k) sum[k] += static_cast<double>(converted[k]);
      } else {
        const float* from = reinterpret_cast<const float*>(values) + i;
        for (int k = 0; k < kBlock; ++k)
          sum[k] += std::nearbyint(static_cast<double>(from[k]) * kUnitsPerOne) / kUnitsPerOne;
      }
    }
    for (int k = 0; k < kBlock; ++k) {
      if (!add_units(total[static_cast<std::size_t>(c) + static_cast<std::size_t>(k)], sum[k]))
        overflow_[static_cast<std::size_t>(member)].is_set = true;
    }
  }
}

std::vector<float> MeanSum::means(int channels, double pixels) const {
  std::vector<float> mean;
  for (int c = 0; c < channels; ++c) {
    std::int64_t total = 0;
    bool fits =
        std::none_of(overflow_.begin(), overflow_.end(), [](const OverflowFlag& member) { return member.is_set; });
    for (const auto& member : sums_)
      fits = !__builtin_add_overflow(total, member[static_cast<std::size_t>(c)], &total) && fits;
    mean.push_back(fits ? static_cast<float>(static_cast<double>(total) / kUnitsPerOne / pixels)
                        : std::numeric_limits<float>::quiet_NaN());
  }
  return mean;
}

}  // namespace weir::nn
