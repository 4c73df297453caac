// Tests what must hold for training on every device: memory, recorded commands, errors, and bit-identical results for
// any number of threads.
#include "nn/train/tape.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/train/cpu_training_device.hpp"
#include "nn/train/reference_training_device.hpp"
#include "nn/train/training_suite_test.hpp"

namespace weir::nn::train::test {
namespace {

TEST_P(Training, MemoryAfterEpoch1000IsAsAfterEpoch10) {
  auto test_device = device();
  ParameterSet set{*test_device, 1};
  const Net net{set, 2};
  auto optimiser = Optimiser::create(set, {.max_gradient_norm = 1});
  auto ema = WeightEma::create(set, 0.99);
  ASSERT_TRUE(optimiser && ema);
  Tape tape{*test_device};
  TrainingDeviceStatistics after10;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    ASSERT_TRUE(run_epoch(tape, net, *optimiser, *ema, 3, i - 1, GetParam().epoch_batches));
    if (i == 10) after10 = test_device->statistics();
  }
  const TrainingDeviceStatistics after1000 = test_device->statistics();
  EXPECT_EQ(after1000.allocated, after10.allocated);
  EXPECT_EQ(after1000.in_use, after10.in_use);
  EXPECT_EQ(after1000.peak, after10.peak);
  EXPECT_LE(after1000.max_submission_commands, 100U);
  EXPECT_LE(after1000.max_idle_blocks, 50U);
}

TEST_P(Training, MemoryIsFreedAtTheEndOfAScopeAndCleanupMayBeRepeated) {
  auto test_device = device();
  {
    ParameterSet set{*test_device, 1};
    const Net net{set, 4};
    auto optimiser = Optimiser::create(set, {});
    auto ema = WeightEma::create(set, 0.99);
    Tape tape{*test_device};
    ASSERT_TRUE(run_epoch(tape, net, *optimiser, *ema, 4, 0));
    EXPECT_GT(test_device->statistics().in_use, Bytes{});
  }
  EXPECT_EQ(test_device->statistics().in_use, Bytes{});
  test_device->cleanup();
  EXPECT_EQ(test_device->statistics().allocated, Bytes{});
  test_device->cleanup();
  EXPECT_EQ(test_device->statistics().allocated, Bytes{});
}

TEST_P(Training, AnErrorInTheMiddleOfABatchLeaksNothing) {
  // The memory limit grows from 1 KiB until the training succeeds, so that the error occurs at each allocation in turn.
  bool succeeded = false;
  const Bytes step = GetParam().memory_step;
  for (Bytes limit{1024}; limit < step * 600 && !succeeded; limit += step) {
    auto test_device = device({.pool = {.limit = limit}});
    {
      ParameterSet set{*test_device, 1};
      const Net net{set, 4};
      auto optimiser = Optimiser::create(set, {.max_gradient_norm = 1});
      auto ema = WeightEma::create(set, 0.99);
      Tape tape{*test_device};
      Status done = set.status();
      if (done && !optimiser) done = optimiser.error();
      if (done && !ema) done = ema.error();
      if (done) done = run_epoch(tape, net, *optimiser, *ema, 6, 0);
      succeeded = static_cast<bool>(done);
      if (!done) {
        EXPECT_EQ(done.error().code, Errc::over_budget) << done.error().what;
      }
    }
    EXPECT_EQ(test_device->statistics().in_use, Bytes{});
    EXPECT_LE(test_device->statistics().peak, limit);
    test_device->cleanup();
    EXPECT_EQ(test_device->statistics().allocated, Bytes{});
  }
  EXPECT_TRUE(succeeded);
}

TEST_P(Training, NoMoreThan100CommandsAreSubmittedAtOnce) {
  auto test_device = device();
  Tape tape{*test_device};
  TapeTensor x = tape.variable({4, 4}, random_values(16, 1));
  for (int i = 0; i < 1000; ++i) x = tanh(x);
  ASSERT_TRUE(tape.backward(mean(x)));
  ASSERT_TRUE(test_device->sync());
  EXPECT_EQ(test_device->statistics().max_submission_commands, 100U);
  // One more than full lists need: reading or writing values may submit a list that is not full.
  EXPECT_LE(test_device->statistics().submissions, (test_device->statistics().commands + 99) / 100 + 1);
  EXPECT_LE(test_device->statistics().max_idle_blocks, 50U);
}

TEST_P(Training, AShapeMismatchIsReportedOnceAndStopsTheTape) {
  auto test_device = device();
  Tape tape{*test_device};
  const TapeTensor a = tape.variable({2, 3}, random_values(6, 1)), b = tape.variable({2, 3}, random_values(6, 2));
  const TapeTensor wrong = matmul(a, b);
  const TapeTensor loss = mean(add(relu(wrong), mul(wrong, wrong)));
  const Status done = tape.backward(loss);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::invalid_argument);
  EXPECT_EQ(done.error().what, "matmul: [2, 3, 1, 1] and [2, 3, 1, 1] do not fit");
  EXPECT_FALSE(tape.read(a));
  tape.reset();
  EXPECT_TRUE(tape.backward(mean(tape.variable({2, 3}, random_values(6, 1)))));
}

TEST_P(Training, ReadingAFreedTensorIsAnError) {
  auto test_device = device();
  Tape tape{*test_device};
  const TapeTensor x = tape.variable({2, 3}, random_values(6, 1));
  const TapeTensor lost = relu(x), kept = tanh(lost), loss = mean(kept);
  tape.keep(kept);
  ASSERT_TRUE(tape.backward(loss));
  EXPECT_FALSE(tape.read(lost));
  EXPECT_TRUE(tape.read(kept));
  EXPECT_TRUE(tape.read(loss));
  EXPECT_TRUE(tape.read(x));
}

INSTANTIATE_TEST_SUITE_P(
    Devices, Training,
    ::testing::Values(DeviceFactory{"reference",
                                    [](HostDeviceSettings settings) -> std::unique_ptr<TrainingDevice> {
                                      return std::make_unique<ReferenceTrainingDevice<float>>(settings);
                                    },
                                    Bytes{7168}},
                      DeviceFactory{"cpu",
                                    [](HostDeviceSettings settings) -> std::unique_ptr<TrainingDevice> {
                                      return std::make_unique<CpuTrainingDevice>(2, settings);
                                    },
                                    Bytes{7168}}),
    [](const auto& one) { return one.param.name; });

/// Returns the weights after a few steps of a network that is large enough to be divided among threads.
std::vector<float> trained(int threads) {
  CpuTrainingDevice test_device{threads};
  ParameterSet set{test_device, 1};
  const Net net{set, 24};
  auto optimiser = Optimiser::create(set, {.weight_decay = 1e-2, .max_gradient_norm = 0.1});
  auto ema = WeightEma::create(set, 0.9);
  Tape tape{test_device};
  for (std::uint64_t i = 0; i < 2; ++i) EXPECT_TRUE(run_epoch(tape, net, *optimiser, *ema, 40, i));
  ema->swap_parameters();
  std::vector<float> all;
  for (const Parameter& p : set.parameters()) {
    std::vector<float> values(p.shape.count());
    EXPECT_TRUE(test_device.read(p.value.operand(), values));
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
