#include "nn/train/optimiser.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "nn/train/cpu_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/random.hpp"
#include "nn/train/reference_device.hpp"
#include "nn/train/training_suite_test.hpp"

namespace weir::nn::train::test {
namespace {

/// One parameter [1, 2] of 1, whose gradient by the loss 3 a + 4 b is (3, 4) / 2.
class OneStep : public ::testing::Test {
 protected:
  std::vector<double> weights_after(OptimiserSettings settings, double rate, int steps = 1) {
    CpuDevice on{1};
    ParameterSet set{on, 1};
    Parameter& p = set.constant("p", 2, 1);
    p.decays = true;
    auto optimiser = Optimiser::create(set, settings);
    Tape tape{on};
    for (int i = 0; i < steps; ++i) {
      tape.reset();
      const std::vector<float> factors{3, 4};
      EXPECT_TRUE(tape.backward(mean(mul(tape.parameter(p), tape.input({1, 2}, factors)))));
      EXPECT_TRUE(optimiser->step(rate));
    }
    std::vector<float> values(2);
    EXPECT_TRUE(on.read(p.value.operand(), values));
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

TEST_F(OneStep, DecayIsApartFromTheGradient) {
  EXPECT_NEAR(weights_after({.kind = Kind::sgd, .decay = 0.5}, 0.1)[0], 1 - 0.1 * (1.5 + 0.5), 1e-6);
  EXPECT_NEAR(weights_after({.decay = 0.5}, 0.1)[0], 1 - 0.1 * 0.5 - 0.1, 1e-5);
}

TEST_F(OneStep, AdamsFirstStepIsTheRate) {
  const auto w = weights_after({}, 0.1);
  EXPECT_NEAR(w[0], 0.9, 1e-5);
  EXPECT_NEAR(w[1], 0.9, 1e-5);
}

TEST_F(OneStep, ClippingBoundsTheNormOfAllGradients) {
  const auto w = weights_after({.kind = Kind::sgd, .clip = 0.5}, 1);  // the norm is 2.5
  EXPECT_NEAR(w[0], 1 - 0.3, 1e-6);
  EXPECT_NEAR(w[1], 1 - 0.4, 1e-6);
}

/// Weights and their running mean after some steps of each kind on two parameters.
std::vector<float> after_steps(Device& on) {
  const OptimiserSettings kinds[] = {{},
                                     {.decay = 0.1, .clip = 0.01},
                                     {.clip = 100},
                                     {.kind = Kind::sgd, .momentum = 0.9, .decay = 0.1},
                                     {.kind = Kind::sgd, .clip = 0.01}};
  std::vector<float> all;
  for (const OptimiserSettings& settings : kinds) {
    ParameterSet set{on, 3};
    set.weights("a", {40, 50}, 4);
    set.weights("b", {1, 7}, 4);
    auto optimiser = Optimiser::create(set, settings);
    auto average = Average::create(set, 0.9);
    Tape tape{on};
    for (std::uint64_t step = 0; step < 4; ++step) {
      tape.reset();
      Tensor loss = mean(mul(tape.parameter(set.all()[0]), tape.input({40, 50}, noise(2000, 2 * step))));
      loss = add(loss, mean(mul(tape.parameter(set.all()[1]), tape.input({1, 7}, noise(7, 2 * step + 1)))));
      EXPECT_TRUE(tape.backward(loss));
      EXPECT_TRUE(optimiser->step(0.02));
      EXPECT_TRUE(average->update(step));
    }
    for (int which = 0; which < 2; ++which, average->swap()) {
      for (const Parameter& p : set.all()) {
        std::vector<float> values(p.shape.count());
        EXPECT_TRUE(on.read(p.value.operand(), values));
        all.insert(all.end(), values.begin(), values.end());
      }
    }
  }
  return all;
}

TEST_P(Training, StepsAreTheReferences) {
  ReferenceDevice<float> reference;
  const std::vector<float> wanted = after_steps(reference);
  const auto on = device();
  const std::vector<float> got = after_steps(*on);
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(got[i], wanted[i], 2e-6) << i;
  EXPECT_EQ(after_steps(*on), got) << "the same bits";
}

TEST(AverageOfWeights, FollowsAndChangesPlaces) {
  CpuDevice on{1};
  ParameterSet set{on, 1};
  Parameter& p = set.constant("p", 1, 1);
  auto average = Average::create(set, 0.9);
  ASSERT_TRUE(on.write(p.value.operand(), std::vector<float>{2}));
  ASSERT_TRUE(average->update(1000000));
  float value = 0;
  average->swap();
  ASSERT_TRUE(on.read(p.value.operand(), {&value, 1}));
  EXPECT_NEAR(value, 1.1F, 1e-6F);
  average->swap();
  ASSERT_TRUE(on.read(p.value.operand(), {&value, 1}));
  EXPECT_EQ(value, 2);
}

TEST(Schedules, StartRiseAndFall) {
  const Schedule cosine{.kind = Schedule::Kind::cosine, .rate = 1, .floor = 0.1, .warm_up = 4, .steps = 100};
  EXPECT_NEAR(rate_at(cosine, 0), 0.25, 1e-3);
  EXPECT_NEAR(rate_at(cosine, 50), 0.55, 1e-9);
  EXPECT_NEAR(rate_at(cosine, 100), 0.1, 1e-9);
  EXPECT_NEAR(rate_at(cosine, 1000), 0.1, 1e-9);
  const Schedule halving{.kind = Schedule::Kind::halving, .rate = 1, .floor = 0.2, .steps = 10};
  EXPECT_EQ(rate_at(halving, 9), 1);
  EXPECT_EQ(rate_at(halving, 10), 0.5);
  EXPECT_EQ(rate_at(halving, 100), 0.2);
  EXPECT_EQ(rate_at({.rate = 0.3}, 12345), 0.3);
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
