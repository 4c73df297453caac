// Tests the steps of the optimisers, the moving average of the weights, the learning rate, and the random numbers.
#include "nn/train/optimiser.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "nn/train/cpu_training_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/random.hpp"
#include "nn/train/reference_training_device.hpp"
#include "nn/train/training_suite_test.hpp"

namespace weir::nn::train::test {
namespace {

/// Trains one parameter (a, b), which starts as (1, 1). The loss is the mean of 3 a and 4 b, so the gradient is
/// (1.5, 2).
class OneStep : public ::testing::Test {
 protected:
  std::vector<double> weights_after(OptimiserSettings settings, double rate, int steps = 1) {
    CpuTrainingDevice test_device{1};
    ParameterSet set{test_device, 1};
    Parameter& p = set.add_filled_parameter("p", 2, 1);
    p.has_weight_decay = true;
    auto optimiser = Optimiser::create(set, settings);
    Tape tape{test_device};
    for (int i = 0; i < steps; ++i) {
      tape.reset();
      const std::vector<float> factors{3, 4};
      EXPECT_TRUE(tape.backward(mean(mul(tape.parameter(p), tape.input({1, 2}, factors)))));
      EXPECT_TRUE(optimiser->step(rate));
    }
    std::vector<float> values(2);
    EXPECT_TRUE(test_device.read(p.value.operand(), values));
    return {values.begin(), values.end()};
  }
};
using Kind = OptimiserSettings::Kind;

TEST_F(OneStep, SgdGoesAgainstTheGradient) {
  const auto w = weights_after({.kind = Kind::sgd}, 0.1);
  EXPECT_NEAR(w[0], 1 - 0.1 * 1.5, 1e-6);
  EXPECT_NEAR(w[1], 1 - 0.1 * 2, 1e-6);
}

TEST_F(OneStep, MomentumAddsUp) {
  const auto w = weights_after({.kind = Kind::sgd, .momentum = 0.5}, 0.1, 2);
  EXPECT_NEAR(w[0], 1 - 0.1 * 1.5 - 0.1 * (1.5 + 0.75), 1e-6);
}

TEST_F(OneStep, WeightDecayIsSeparateFromTheGradient) {
  EXPECT_NEAR(weights_after({.kind = Kind::sgd, .weight_decay = 0.5}, 0.1)[0], 1 - 0.1 * (1.5 + 0.5), 1e-6);
  EXPECT_NEAR(weights_after({.weight_decay = 0.5}, 0.1)[0], 1 - 0.1 * 0.5 - 0.1, 1e-5);  // Adam
}

TEST_F(OneStep, AdamsFirstStepIsTheRate) {
  const auto w = weights_after({}, 0.1);
  EXPECT_NEAR(w[0], 0.9, 1e-5);
  EXPECT_NEAR(w[1], 0.9, 1e-5);
}

TEST_F(OneStep, ClippingBoundsTheNormOfAllGradients) {
  const auto w = weights_after({.kind = Kind::sgd, .max_gradient_norm = 0.5}, 1);  // the norm is 2.5
  EXPECT_NEAR(w[0], 1 - 0.3, 1e-6);
  EXPECT_NEAR(w[1], 1 - 0.4, 1e-6);
}

/// Returns the weights and their moving average after some steps of each optimiser on two parameters.
std::vector<float> after_steps(TrainingDevice& test_device) {
  const OptimiserSettings kinds[] = {{},
                                     {.weight_decay = 0.1, .max_gradient_norm = 0.01},
                                     {.max_gradient_norm = 100},
                                     {.kind = Kind::sgd, .momentum = 0.9, .weight_decay = 0.1},
                                     {.kind = Kind::sgd, .max_gradient_norm = 0.01}};
  std::vector<float> all;
  for (const OptimiserSettings& settings : kinds) {
    ParameterSet set{test_device, 3};
    set.add_weights("a", {40, 50}, 4);
    set.add_weights("b", {1, 7}, 4);
    auto optimiser = Optimiser::create(set, settings);
    auto ema = WeightEma::create(set, 0.9);
    Tape tape{test_device};
    for (std::uint64_t step = 0; step < 4; ++step) {
      tape.reset();
      TapeTensor loss =
          mean(mul(tape.parameter(set.parameters()[0]), tape.input({40, 50}, random_values(2000, 2 * step))));
      loss =
          add(loss, mean(mul(tape.parameter(set.parameters()[1]), tape.input({1, 7}, random_values(7, 2 * step + 1)))));
      EXPECT_TRUE(tape.backward(loss));
      EXPECT_TRUE(optimiser->step(0.02));
      EXPECT_TRUE(ema->update(step));
    }
    for (int round = 0; round < 2; ++round, ema->swap_parameters()) {  // the weights, then their moving averages
      for (const Parameter& p : set.parameters()) {
        std::vector<float> values(p.shape.count());
        EXPECT_TRUE(test_device.read(p.value.operand(), values));
        all.insert(all.end(), values.begin(), values.end());
      }
    }
  }
  return all;
}

TEST_P(Training, StepsMatchTheReference) {
  ReferenceTrainingDevice<float> reference;
  const std::vector<float> expected = after_steps(reference);
  const auto test_device = device();
  const std::vector<float> got = after_steps(*test_device);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(got[i], expected[i], 2e-6) << i;
  EXPECT_EQ(after_steps(*test_device), got) << "the same bits";
}

TEST(WeightEmaTest, FollowsTheWeightsAndSwapsWithThem) {
  CpuTrainingDevice test_device{1};
  ParameterSet set{test_device, 1};
  Parameter& p = set.add_filled_parameter("p", 1, 1);
  auto ema = WeightEma::create(set, 0.9);
  ASSERT_TRUE(test_device.write(p.value.operand(), std::vector<float>{2}));
  ASSERT_TRUE(ema->update(1000000));  // so late a step that the decay is the full 0.9
  float value = 0;
  ema->swap_parameters();
  ASSERT_TRUE(test_device.read(p.value.operand(), {&value, 1}));
  EXPECT_NEAR(value, 1.1F, 1e-6F);
  ema->swap_parameters();
  ASSERT_TRUE(test_device.read(p.value.operand(), {&value, 1}));
  EXPECT_EQ(value, 2);
}

TEST(Schedules, StartRiseAndFall) {
  const LearningRateSchedule cosine{
      .kind = LearningRateSchedule::Kind::cosine, .rate = 1, .min_rate = 0.1, .warm_up_steps = 4, .steps = 100};
  EXPECT_NEAR(rate_at_step(cosine, 0), 0.25, 1e-3);
  EXPECT_NEAR(rate_at_step(cosine, 50), 0.55, 1e-9);
  EXPECT_NEAR(rate_at_step(cosine, 100), 0.1, 1e-9);
  EXPECT_NEAR(rate_at_step(cosine, 1000), 0.1, 1e-9);
  const LearningRateSchedule halving{
      .kind = LearningRateSchedule::Kind::halving, .rate = 1, .min_rate = 0.2, .steps = 10};
  EXPECT_EQ(rate_at_step(halving, 9), 1);
  EXPECT_EQ(rate_at_step(halving, 10), 0.5);
  EXPECT_EQ(rate_at_step(halving, 100), 0.2);
  EXPECT_EQ(rate_at_step({.rate = 0.3}, 12345), 0.3);
}

TEST(RandomNumbers, DependOnSeedAndItemAlone) {
  Random a{1, 5}, b{1, 5}, c{1, 6}, d{2, 5};
  const auto first = a.next();
  EXPECT_EQ(b.next(), first);
  EXPECT_NE(c.next(), first);
  EXPECT_NE(d.next(), first);
  double sum = 0, squares = 0;
  for (int i = 0; i < 10000; ++i) {
    const double x = a.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 10000, 0, 0.05);
  EXPECT_NEAR(squares / 10000, 1, 0.06);
}

}  // namespace
}  // namespace weir::nn::train::test
