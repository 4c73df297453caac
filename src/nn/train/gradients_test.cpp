// Compares the gradients of every operation with finite differences in float64, and the results of CpuTrainingDevice
// with those of the reference device in float32.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "nn/train/cpu_training_device.hpp"
#include "nn/train/gradients_test.hpp"
#include "nn/train/reference_training_device.hpp"

namespace weir::nn::train::test {
namespace {

class Gradients : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Gradients, MatchFiniteDifferences) {
  const Case& c = cases()[GetParam()];
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Inputs in = make_inputs(c, seed);
    ReferenceTrainingDevice<double> device;
    Tape tape{device};
    const Computed analytic = compute(tape, c, in);
    ASSERT_TRUE(tape.backward(analytic.loss)) << tape.status().error().what;
    Random pick{seed, 2};  // selects the values whose gradients are compared
    for (std::size_t i = 0; i < in.shapes.size() - (c.is_loss ? 1 : 0); ++i) {
      ASSERT_TRUE(tape.read_gradient(analytic.inputs[i]));
      const auto* gradient = static_cast<const double*>(tape.gradient(analytic.inputs[i]).memory);
      for (int probe = 0; probe < 8; ++probe) {
        const auto at = static_cast<std::size_t>(pick.next_below(static_cast<int>(in.values[i].size())));
        constexpr float kStep = 0x1p-12F;
        // Returns the loss after the value is changed.
        const auto loss_after = [&](float change) {
          Inputs changed = in;
          changed.values[i][at] += change;
          Tape other{device};
          const Computed computed = compute(other, c, changed);
          EXPECT_TRUE(device.sync());
          return *static_cast<const double*>(other.value(computed.loss).memory);
        };
        // The steps that were really made: the changed value is rounded to float32.
        Inputs moved = in;
        moved.values[i][at] += kStep;
        const double up = static_cast<double>(moved.values[i][at]) - static_cast<double>(in.values[i][at]);
        moved.values[i][at] = in.values[i][at] - kStep;
        const double down = static_cast<double>(in.values[i][at]) - static_cast<double>(moved.values[i][at]);
        const double numeric = (loss_after(kStep) - loss_after(-kStep)) / (up + down);
        EXPECT_NEAR(gradient[at], numeric, 2e-6 * std::max(1.0, std::abs(numeric)) + 1e-7)
            << c.name << ", seed " << seed << ", input " << i << ", value " << at;
      }
    }
  }
}

TEST_P(Gradients, MatchTheReferenceOnEveryInstructionSetAndAnyNumberOfThreads) {
  const Case& c = cases()[GetParam()];
  for (const compute::Kernels* set : compute::available_kernels()) {
    const compute::TrainingKernels& kernels = *compute::find_training_kernels(set->name);
    for (std::uint64_t seed = 11; seed <= 14; ++seed) {
      const Inputs in = make_inputs(c, seed);
      ReferenceTrainingDevice<float> reference;
      CpuTrainingDevice one_thread{1, {}, kernels}, three_threads{3, {}, kernels};
      const std::vector<float> expected = all_values(reference, c, in), got = all_values(one_thread, c, in);
      expect_close(got, expected, c.name + ", " + std::string{kernels.name} + ", seed " + std::to_string(seed));
      EXPECT_EQ(all_values(three_threads, c, in), got) << c.name << ", " << kernels.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, Gradients, ::testing::Range<std::size_t>(0, cases().size()),
                         [](const auto& one_case) { return cases()[one_case.param].name; });

}  // namespace
}  // namespace weir::nn::train::test
