// Tests the element-wise operations on rows (CombineJob, ShuffleJob, ResizeJob, SamplesJob) of each instruction set.

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "compute/kernels/kernels_test.hpp"

namespace weir::compute {
namespace {

using test::SeededNumbers;

class Rows : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Sets, Rows, testing::ValuesIn(kInstructionSets), instruction_set_of);

double clipped(double value, const CombineJob& job) {
  return job.clip ? std::clamp(value, static_cast<double>(job.low), static_cast<double>(job.high)) : value;
}

TEST_P(Rows, CombineFollowsTheFormula) {
  SeededNumbers random{3};
  for (int round = 0; round < 60; ++round) {
    CombineJob job;
    job.element_type = round % 2 == 0 ? ElementType::float16 : ElementType::float32;
    job.inputs = uniform(random, 1, 8);
    const bool gates = uniform(random, 0, 1) == 0;
    job.channels = gates ? 32 * uniform(random, 1, 3) : 1;
    job.count = gates ? job.channels * uniform(random, 1, 5) : uniform(random, 1, 200);
    job.constant = random.between(-1, 1);
    job.slope = random.between(-1, 1);
    job.clip = uniform(random, 0, 3) == 0;
    job.low = -0.25F;
    job.high = 0.5F;
    std::vector<FeatureRows> in;
    std::vector<std::vector<float>> gate;
    for (int k = 0; k < job.inputs; ++k) {
      in.emplace_back(job.element_type, 1, 1, job.count);
      in.back().fill(random);
      gate.push_back(numbers(random, static_cast<std::size_t>(job.channels)));
    }
    for (int k = 0; k < job.inputs; ++k) {
      const auto i = static_cast<std::size_t>(k);
      job.in[i] = in[i].at(0, 0);
      job.coefficient[i] = random.between(-1, 1);
      if (gates && k % 2 == 0) job.gate[i] = gate[i].data();
    }
    FeatureRows out{job.element_type, 1, 1, job.count + 1};
    job.out = out.at(0, 0);
    kernels().combine(job);
    for (int e = 0; e < job.count; ++e) {
      double sum = job.constant;
      for (std::size_t k = 0; k < in.size(); ++k) {
        const float g = job.gate[k] == nullptr ? 1.0F : job.gate[k][e % job.channels];
        sum += static_cast<double>(job.coefficient[k]) * g * in[k].value(0, 0, e);
      }
      const double expected = clipped(sum < 0 ? sum * job.slope : sum, job);
      ASSERT_NEAR(out.value(0, 0, e), expected, 1e-5 + rounding(job.element_type, expected))
          << "round " << round << ", " << e;
    }
    ASSERT_EQ(out.value(0, 0, job.count), kUntouched) << "round " << round;
  }
}

TEST_P(Rows, CombineWritesOntoOneOfItsInputs) {
  std::vector<float> a(100), b(100, 2.0F);
  std::iota(a.begin(), a.end(), 0.0F);
  CombineJob job;
  job.element_type = ElementType::float32;
  job.inputs = 2;
  job.in = {a.data(), b.data()};
  job.coefficient = {1, 3};
  job.out = a.data();
  job.count = 100;
  kernels().combine(job);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a[static_cast<std::size_t>(i)], static_cast<float>(i) + 6);
}

TEST_P(Rows, ShufflePutsEachChannelInItsPlace) {
  SeededNumbers random{4};
  for (const int factor : {1, 2, 3, 4, 8}) {
    for (const ElementType element_type : {ElementType::float16, ElementType::float32}) {
      for (const bool with_base : {false, true}) {
        const int area = factor * factor, planes = uniform(random, 1, kMaxPlanarChannels),
                  width = uniform(random, 3, 40);
        FeatureRows in{element_type, 1, width, padded_channels(planes * area)};
        in.fill(random);
        Planes base{planes, 1, width};
        base.values = numbers(random, base.values.size());
        std::vector<std::uint8_t> order(static_cast<std::size_t>(area));
        std::iota(order.begin(), order.end(), std::uint8_t{0});
        for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.next() % (i + 1)]);
        Planes out{planes, factor, width * factor};
        std::fill(out.values.begin(), out.values.end(), kUntouched);
        ShuffleJob job;
        job.element_type = element_type;
        job.in = in.at(0, 0);
        job.pixel_stride = in.stride();
        job.factor = factor;
        job.planes = planes;
        job.order = order.data();
        if (with_base) job.base = base.values.data();
        job.base_plane_stride = width;
        for (int dy = 0; dy < factor; ++dy) job.out[static_cast<std::size_t>(dy)] = &out.at(0, dy, 0);
        job.plane_stride = static_cast<std::ptrdiff_t>(out.plane_size());
        job.first = uniform(random, 0, 1);
        job.last = uniform(random, job.first, width);
        kernels().shuffle(job);
        for (int c = 0; c < planes; ++c) {
          for (int y = 0; y < factor; ++y) {
            for (int x = 0; x < width * factor; ++x) {
              const int from = x / factor;
              const float source = in.value(0, from, c * area + order[y * factor + x % factor]);
              const float expected = source + (with_base ? base.at(c, 0, from) : 0.0F);
              const bool inside = from >= job.first && from < job.last;
              ASSERT_EQ(out.at(c, y, x), inside ? expected : kUntouched) << factor << ": " << c << " " << y << " " << x;
            }
          }
        }
      }
    }
  }
}

TEST_P(Rows, ResizeTakesTapsDownTheColumnsAndThenAlongTheRow) {
  SeededNumbers random{5};
  for (int round = 0; round < 40; ++round) {
    const int taps = uniform(random, 1, 4), width = uniform(random, taps, 60), out_width = uniform(random, 1, 120);
    const int planes = uniform(random, 1, 3);
    Planes in{planes, taps, width};
    in.values = numbers(random, in.values.size());
    std::vector<int> index(static_cast<std::size_t>(out_width));
    // Some positions are outside of the row.
    for (int x = 0; x < out_width; ++x) index[x] = x * width / out_width - uniform(random, 0, 2);
    std::sort(index.begin(), index.end());
    const auto weight = numbers(random, static_cast<std::size_t>(out_width) * taps);
    std::vector<float> scratch(static_cast<std::size_t>(width));
    Planes out{planes, 1, out_width};
    std::fill(out.values.begin(), out.values.end(), kUntouched);
    ResizeJob job;
    job.taps = taps;
    for (int k = 0; k < taps; ++k) {
      job.in[static_cast<std::size_t>(k)] = &in.at(0, k, 0);
      job.row_weight[static_cast<std::size_t>(k)] = random.between(-1, 1);
    }
    job.in_plane_stride = static_cast<std::ptrdiff_t>(in.plane_size());
    job.width = width;
    job.index = index.data();
    job.weight = weight.data();
    job.out = out.values.data();
    job.out_plane_stride = out_width;
    job.planes = planes;
    job.first = uniform(random, 0, out_width - 1);
    job.last = uniform(random, job.first + 1, out_width);
    job.scratch = scratch.data();
    kernels().resize_row(job);
    for (int c = 0; c < planes; ++c) {
      for (int x = 0; x < out_width; ++x) {
        double expected = 0;
        for (int t = 0; t < taps * taps; ++t) {
          const int column = std::clamp(index[x] + t % taps, 0, width - 1);
          expected += static_cast<double>(weight[x * taps + t % taps]) *
                      job.row_weight[static_cast<std::size_t>(t / taps)] * in.at(c, t / taps, column);
        }
        const bool inside = x >= job.first && x < job.last;
        ASSERT_NEAR(out.at(c, 0, x), inside ? expected : kUntouched, 1e-5) << "round " << round << ", column " << x;
      }
    }
  }
}

TEST_P(Rows, SamplesAreRoundedClampedAndSummarised) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  struct Value {
    float in;
    int out8, out16;
  };
  const std::vector<Value> values{{0, 0, 0},
                                  {1, 255, 65535},
                                  {0.5F, 128, 32768},
                                  {-1, 0, 0},
                                  {2, 255, 65535},
                                  {1 / 255.0F, 1, 257},
                                  {0.49F / 255, 0, 126},
                                  {0.51F / 255, 1, 131},
                                  {kInfinity, 255, 65535},
                                  {-kInfinity, 0, 0},
                                  {kNaN, 0, 0}};
  Planes in{2, 1, static_cast<int>(values.size())};
  for (int c = 0; c < 2; ++c) {
    for (std::size_t i = 0; i < values.size(); ++i) in.row(c, 0)[i] = values[i].in;
  }
  for (const int bits : {8, 16}) {
    std::vector<std::uint8_t> bytes(values.size() * 3 * 2, 9);
    ValueSummary summary;
    SamplesJob job;
    job.in = in.values.data();
    job.plane_stride = in.width;
    job.planes = 2;
    job.bits = bits;
    job.out = bytes.data();
    job.samples_per_pixel = 3;
    job.last = in.width;
    job.summary = &summary;
    kernels().samples(job);
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t c = 0; c < 3; ++c) {
        std::uint16_t wide = 0;
        std::memcpy(&wide, bytes.data() + (3 * i + c) * 2, 2);
        const int actual = bits == 8 ? bytes[3 * i + c] : wide;
        const int untouched = bits == 8 ? 9 : 0x909;
        EXPECT_EQ(actual, c == 2      ? untouched
                          : bits == 8 ? values[i].out8
                                      : values[i].out16)
            << bits << " bits of " << values[i].in;
      }
    }
    EXPECT_TRUE(summary.has_non_finite);
    EXPECT_TRUE(summary.has_unequal);
  }
}

TEST_P(Rows, SamplesReportNonFiniteAndUnequalValues) {
  const auto summarise = [&](std::vector<float> row, float reference, int first, int last) {
    std::vector<std::uint8_t> bytes(row.size());
    ValueSummary summary;
    SamplesJob job;
    job.in = row.data();
    job.planes = 1;
    job.out = bytes.data();
    job.samples_per_pixel = 1;
    job.first = first;
    job.last = last;
    job.reference = {reference, 0, 0};
    job.summary = &summary;
    kernels().samples(job);
    return summary;
  };
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> row(77, 0.25F);
  EXPECT_FALSE(summarise(row, 0.25F, 0, 77).has_unequal);
  EXPECT_FALSE(summarise(row, 0.25F, 0, 77).has_non_finite);
  EXPECT_TRUE(summarise(row, 0.5F, 0, 77).has_unequal);
  for (const std::size_t place : {0, 40, 76}) {
    for (const float value : {kNaN, kInfinity, -kInfinity}) {
      std::vector<float> damaged = row;
      damaged[place] = value;
      EXPECT_TRUE(summarise(damaged, 0.25F, 0, 77).has_non_finite) << value << " at " << place;
    }
    std::vector<float> other = row;
    other[place] = 0.26F;
    EXPECT_TRUE(summarise(other, 0.25F, 0, 77).has_unequal) << place;
    EXPECT_FALSE(summarise(other, 0.25F, 1, 40).has_unequal && place != 40) << "columns outside of the job";
  }
}

}  // namespace
}  // namespace weir::compute
