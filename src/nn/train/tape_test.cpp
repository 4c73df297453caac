// What holds for training on every device: memory, commands in flight, errors, and the same bits on any number of threads.
#include "nn/train/tape.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/train/cpu_device.hpp"
#include "nn/train/reference_device.hpp"
#include "nn/train/training_suite_test.hpp"

namespace weir::nn::train::test {
namespace {

TEST_P(Training, MemoryAfterEpoch1000IsThatAfterEpoch10) {
  auto on = device();
  ParameterSet set{*on, 1};
  const Net net{set, 2};
  auto optimiser = Optimiser::create(set, {.clip = 1});
  auto average = Average::create(set, 0.99);
  ASSERT_TRUE(optimiser && average);
  Tape tape{*on};
  DeviceStatistics after10;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    ASSERT_TRUE(epoch(tape, net, *optimiser, *average, 3, i - 1, GetParam().batches));
    if (i == 10) after10 = on->statistics();
  }
  const DeviceStatistics after1000 = on->statistics();
  EXPECT_EQ(after1000.allocated, after10.allocated);
  EXPECT_EQ(after1000.in_use, after10.in_use);
  EXPECT_EQ(after1000.peak, after10.peak);
  EXPECT_LE(after1000.most_commands, 100U);
  EXPECT_LE(after1000.most_idle, 50U);
}

TEST_P(Training, AScopeGivesBackWhatItOwnsAndCleaningTwiceIsHarmless) {
  auto on = device();
  {
    ParameterSet set{*on, 1};
    const Net net{set, 4};
    auto optimiser = Optimiser::create(set, {});
    auto average = Average::create(set, 0.99);
    Tape tape{*on};
    ASSERT_TRUE(epoch(tape, net, *optimiser, *average, 4, 0));
    EXPECT_GT(on->statistics().in_use, Bytes{});
  }
  EXPECT_EQ(on->statistics().in_use, Bytes{});
  on->cleanup();
  EXPECT_EQ(on->statistics().allocated, Bytes{});
  on->cleanup();
  EXPECT_EQ(on->statistics().allocated, Bytes{});
}

TEST_P(Training, AnErrorInTheMiddleOfABatchLeaksNothing) {
  // From no memory at all to enough: the error comes at every place in turn.
  bool succeeded = false;
  const Bytes step = GetParam().step;
  for (Bytes limit{1024}; limit < step * 600 && !succeeded; limit += step) {
    auto on = device({.pool = {.limit = limit}});
    {
      ParameterSet set{*on, 1};
      const Net net{set, 4};
      auto optimiser = Optimiser::create(set, {.clip = 1});
      auto average = Average::create(set, 0.99);
      Tape tape{*on};
      Status done = set.status();
      if (done && !optimiser) done = optimiser.error();
      if (done && !average) done = average.error();
      if (done) done = epoch(tape, net, *optimiser, *average, 6, 0);
      succeeded = static_cast<bool>(done);
      if (!done) {
        EXPECT_EQ(done.error().code, Errc::over_budget) << done.error().what;
      }
    }
    EXPECT_EQ(on->statistics().in_use, Bytes{});
    EXPECT_LE(on->statistics().peak, limit);
    on->cleanup();
    EXPECT_EQ(on->statistics().allocated, Bytes{});
  }
  EXPECT_TRUE(succeeded);
}

TEST_P(Training, NoMoreThan100CommandsAreSubmittedAtOnce) {
  auto on = device();
  Tape tape{*on};
  Tensor x = tape.variable({4, 4}, noise(16, 1));
  for (int i = 0; i < 1000; ++i) x = tanh(x);
  ASSERT_TRUE(tape.backward(mean(x)));
  ASSERT_TRUE(on->sync());
  EXPECT_EQ(on->statistics().most_commands, 100U);
  EXPECT_LE(on->statistics().submissions, (on->statistics().commands + 99) / 100 + 1);  // one for the input's values
  EXPECT_LE(on->statistics().most_idle, 50U);
}

TEST_P(Training, AShapeThatDoesNotFitIsSaidOnceAndNothingElseIsDone) {
  auto on = device();
  Tape tape{*on};
  const Tensor a = tape.variable({2, 3}, noise(6, 1)), b = tape.variable({2, 3}, noise(6, 2));
  const Tensor wrong = matmul(a, b);
  const Tensor loss = mean(add(relu(wrong), mul(wrong, wrong)));
  const Status done = tape.backward(loss);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::invalid_argument);
  EXPECT_EQ(done.error().what, "matmul: [2, 3, 1, 1] and [2, 3, 1, 1] do not fit");
  EXPECT_FALSE(tape.read(a));
  tape.reset();
  EXPECT_TRUE(tape.backward(mean(tape.variable({2, 3}, noise(6, 1)))));
}

TEST_P(Training, ReadingWhatWasGivenBackIsAnError) {
  auto on = device();
  Tape tape{*on};
  const Tensor x = tape.variable({2, 3}, noise(6, 1));
  const Tensor lost = relu(x), kept = tanh(lost), loss = mean(kept);
  tape.keep(kept);
  ASSERT_TRUE(tape.backward(loss));
  EXPECT_FALSE(tape.read(lost));
  EXPECT_TRUE(tape.read(kept));
  EXPECT_TRUE(tape.read(loss));
  EXPECT_TRUE(tape.read(x));
}

INSTANTIATE_TEST_SUITE_P(Devices, Training,
                         ::testing::Values(Maker{"reference",
                                                 [](HostSettings settings) -> std::unique_ptr<Device> {
                                                   return std::make_unique<ReferenceDevice<float>>(settings);
                                                 },
                                                 Bytes{7168}},
                                           Maker{"cpu",
                                                 [](HostSettings settings) -> std::unique_ptr<Device> {
                                                   return std::make_unique<CpuDevice>(2, settings);
                                                 },
                                                 Bytes{7168}}),
                         [](const auto& one) { return one.param.name; });

/// The weights after a few steps of a network that is large enough to be shared out.
std::vector<float> trained(int threads) {
  CpuDevice on{threads};
  ParameterSet set{on, 1};
  const Net net{set, 24};
  auto optimiser = Optimiser::create(set, {.decay = 1e-2, .clip = 0.1});
  auto average = Average::create(set, 0.9);
  Tape tape{on};
  for (std::uint64_t i = 0; i < 2; ++i) EXPECT_TRUE(epoch(tape, net, *optimiser, *average, 40, i));
  average->swap();
  std::vector<float> all;
  for (const Parameter& p : set.all()) {
    std::vector<float> values(p.shape.count());
    EXPECT_TRUE(on.read(p.value.operand(), values));
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TEST(TrainingDeterminism, TheBitsAreTheSameOnAnyNumberOfThreads) {
  const std::vector<float> one = trained(1);
  EXPECT_EQ(trained(2), one);
  EXPECT_EQ(trained(5), one);
}

}  // namespace
}  // namespace weir::nn::train::test
