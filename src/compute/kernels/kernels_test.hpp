#pragma once

// What the tests of the CPU kernels share: a fixture per instruction set, random numbers, feature rows, and the errors
// that rounding may cause.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "base/round_up.hpp"
#include "compute/half.hpp"
#include "compute/kernels/kernels.hpp"
#include "compute/kernels/planes/planes_ref.hpp"
#include "networks/generate_network.hpp"

namespace weir::compute {

/// The names (Kernels::name) of all instruction sets that have kernels.
inline constexpr std::array<const char*, 4> kInstructionSets{"avx512_vnni", "avx2", "neon", "plain"};

/// A test that runs once for each instruction set. It is skipped, with a message, for a set that this machine lacks.
class EachInstructionSet : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels_ = find_kernels(GetParam());
    if (kernels_ == nullptr) GTEST_SKIP() << "this machine has no " << GetParam();
  }
  [[nodiscard]] const Kernels& kernels() const { return *kernels_; }

 private:
  const Kernels* kernels_ = nullptr;
};
/// Returns the name of the instruction set, as the name of the test instance.
inline std::string instruction_set_of(const testing::TestParamInfo<const char*>& info) { return info.param; }

/// Returns a random integer low..high.
inline int uniform(test::SeededNumbers& random, int low, int high) {
  return low + static_cast<int>(random.next() % static_cast<std::uint64_t>(high - low + 1));
}
/// Returns `count` random numbers low..high.
inline std::vector<float> numbers(test::SeededNumbers& random, std::size_t count, float low = -1, float high = 1) {
  std::vector<float> values(count);
  for (float& value : values) value = random.between(low, high);
  return values;
}
/// Copies values to an array of `count` elements; zeros follow.
inline AlignedArray<float> aligned(const std::vector<float>& values, int count) {
  AlignedArray<float> array{static_cast<std::size_t>(count)};
  std::copy(values.begin(), values.end(), array.data());
  return array;
}

/// Initial value of output memory, so that a test finds what a kernel has not written; exact in binary16.
inline constexpr float kUntouched = 7.0F;

/// Feature rows [height][width][stride], stored as in the engine. The memory has no extra elements, so that a memory
/// checker finds accesses outside.
class FeatureRows {
 public:
  FeatureRows(ElementType element_type, int height, int width, int stride, float value = kUntouched)
      : element_type_{element_type}, width_{width}, stride_{stride} {
    const auto count = static_cast<std::size_t>(height) * width * stride;
    if (element_type == ElementType::float16)
      halves_.assign(count, float_to_half(value));
    else
      floats_.assign(count, value);
  }
  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int stride() const { return stride_; }
  [[nodiscard]] void* at(int y, int x, int channel = 0) {
    const std::size_t i = index(y, x, channel);
    return element_type_ == ElementType::float16 ? static_cast<void*>(halves_.data() + i) : floats_.data() + i;
  }
  [[nodiscard]] float value(int y, int x, int channel) const {
    const std::size_t i = index(y, x, channel);
    return element_type_ == ElementType::float16 ? half_to_float(halves_[i]) : floats_[i];
  }
  /// Stores a value, rounded to binary16 if the rows are float16.
  void set(int y, int x, int channel, float value) {
    const std::size_t i = index(y, x, channel);
    if (element_type_ == ElementType::float16)
      halves_[i] = float_to_half(value);
    else
      floats_[i] = value;
  }
  /// Sets all values to random numbers low..high.
  void fill(test::SeededNumbers& random, float low = -1, float high = 1) {
    for (std::uint16_t& half : halves_) half = float_to_half(random.between(low, high));
    for (float& value : floats_) value = random.between(low, high);
  }
  /// Returns whether all values have the same bits.
  [[nodiscard]] bool operator==(const FeatureRows& other) const {
    const auto same = [](float a, float b) {
      return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    };
    return halves_ == other.halves_ && std::ranges::equal(floats_, other.floats_, same);
  }
  /// Returns the FNV-1a hash of the values. Source: draft-eastlake-fnv.
  [[nodiscard]] std::uint64_t hash() const {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    const auto add = [&h](std::uint64_t value) { h = (h ^ value) * 0x100000001b3ULL; };
    for (const std::uint16_t half : halves_) add(half);
    for (const float value : floats_) add(std::bit_cast<std::uint32_t>(value));
    return h;
  }

 private:
  [[nodiscard]] std::size_t index(int y, int x, int channel) const {
    return (static_cast<std::size_t>(y) * width_ + x) * stride_ + channel;
  }
  ElementType element_type_;
  int width_, stride_;
  std::vector<std::uint16_t> halves_;
  std::vector<float> floats_;
};

/// Returns the largest error that storing `expected` can cause: half a unit in the last place of binary16; 0 for
/// float32.
inline double rounding(ElementType element_type, double expected) {
  return element_type == ElementType::float16 ? std::fabs(expected) * 0x1p-11 + 0x1p-25 : 0;
}

/// Computes the variance of the rounding error in a sum of int16 products. Values v are rounded to steps of
/// max|v| / 32766, weights w to steps of max(sum|w| / 65000, max|w| / 32767). A rounding error is uniformly distributed
/// over at most half a step up or down, so its variance is step^2 / 12. Rounding errors are independent of each other,
/// so the variance of the sum is sum of w^2 * step(v)^2 / 12 + v^2 * step(w)^2 / 12.
struct RoundedSum {
  double weight_squares = 0, weight_sum = 0, weight_most = 0;  // sum of w^2, sum of |w|, largest |w|
  double value_squares = 0, value_most = 0;                    // sum of v^2, largest |v|
  void add_weight(double w) {
    weight_squares += w * w;
    weight_sum += std::fabs(w);
    weight_most = std::max(weight_most, std::fabs(w));
  }
  void add_value(double v) {
    value_squares += v * v;
    value_most = std::max(value_most, std::fabs(v));
  }
  [[nodiscard]] double variance() const {
    const double value_step = value_most / 32766;
    const double weight_step = std::max(weight_sum / 65000, weight_most / 32767);
    return (weight_squares * value_step * value_step + value_squares * weight_step * weight_step) / 12;
  }
};
/// Maximum error of a sum, in standard deviations, that the tests accept. Their seeds are fixed.
inline constexpr double kDeviations = 7;

inline const char* text(Arithmetic arithmetic) { return arithmetic == Arithmetic::int16 ? "int16" : "float32"; }
inline const char* text(ElementType element_type) { return element_type == ElementType::float16 ? "half" : "single"; }

}  // namespace weir::compute
