// Tests the convolution of a planar input (DirectJob) of each instruction set.

#include <gtest/gtest.h>

#include "compute/kernels/conv/conv_ref.hpp"
#include "compute/kernels/kernels_test.hpp"

namespace weir::compute {
namespace {

using test::SeededNumbers;

class Direct : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Sets, Direct, testing::ValuesIn(kInstructionSets), instruction_set_of);

TEST_P(Direct, IsTheConvolutionAndWritesNothingElse) {
  SeededNumbers random{11};
  for (const int out : {1, 3, 4, 12, 16, 24, 32, 48, 64}) {
    for (const int kernel : {1, 3, 5}) {
      const int in = uniform(random, 1, 4), columns = uniform(random, 1, 50);
      const ElementType element_type = uniform(random, 0, 1) == 0 ? ElementType::float16 : ElementType::float32;
      const bool planar = out <= kMaxPlanarChannels;
      Planes input{in, kernel, columns + kernel - 1 + 5};  // a job may read five columns more than it needs
      input.values = numbers(random, input.values.size());
      const auto weight = numbers(random, static_cast<std::size_t>(out) * in * kernel * kernel);
      const auto bias = numbers(random, static_cast<std::size_t>(out)),
                 slope = numbers(random, static_cast<std::size_t>(out));
      const AlignedArray<float> packed = pack_direct(out, in, kernel, weight.data());
      const EpilogueWeights epilogue{aligned(bias, padded_channels(out)), aligned(slope, padded_channels(out))};
      FeatureRows rows{element_type, 1, columns + 1, padded_channels(out)};
      Planes planes{out, 1, columns + 1};
      std::fill(planes.values.begin(), planes.values.end(), kUntouched);
      DirectJob job;
      job.weights = packed.data();
      job.epilogue = &epilogue;
      job.element_type = element_type;
      job.in = in;
      job.kernel = kernel;
      job.out = out;
      job.out_padded = padded_channels(out);
      for (int k = 0; k < kernel; ++k) job.rows[static_cast<std::size_t>(k)] = &input.at(0, k, 0);
      job.plane_stride = static_cast<std::ptrdiff_t>(input.plane_size());
      job.columns = columns;
      job.output = planar ? static_cast<void*>(planes.values.data()) : rows.at(0, 0);
      job.target = {rows.stride(), static_cast<std::ptrdiff_t>(planes.plane_size()), planar};
      kernels().direct(job);

      const Planes sums = conv_ref(input, {out, kernel, 1, 0}, weight, bias);
      for (int o = 0; o < out; ++o) {
        for (int x = 0; x < columns; ++x) {
          const double sum = sums.at(o, 0, x), expected = sum < 0 ? sum * slope[static_cast<std::size_t>(o)] : sum;
          const float actual = planar ? planes.at(o, 0, x) : rows.value(0, x, o);
          ASSERT_NEAR(actual, expected, 1e-4 + rounding(planar ? ElementType::float32 : element_type, expected))
              << in << " to " << out << ", kernel " << kernel << ", channel " << o << " column " << x << " of "
              << columns;
        }
        ASSERT_EQ(planar ? planes.at(o, 0, columns) : rows.value(0, columns, o), kUntouched);
      }
    }
  }
}

}  // namespace
}  // namespace weir::compute
