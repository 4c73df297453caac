// What holds for training on every device: memory, commands in flight, errors, and the same bits on any number of threads.
#include "nn/train/tape.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/train/cpu_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/optimiser.hpp"
#include "nn/train/random.hpp"
#include "nn/train/reference_device.hpp"

namespace weir::nn::train {
namespace {

struct Maker {
  std::string name;
  std::unique_ptr<Device> (*make)(HostSettings settings);
};

class Training : public ::testing::TestWithParam<Maker> {
 protected:
  static std::unique_ptr<Device> device(HostSettings settings = {}) { return GetParam().make(settings); }
};

std::vector<float> noise(std::size_t count, std::uint64_t item) {
  Random random{7, item};
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

/// A small network of every kind of layer that enlarges pictures use.
struct Net {
  explicit Net(ParameterSet& set, int wide)
      : first{set.layer("first", 3, wide, 3)},
        slopes{&set.constant("slopes", wide, 0.25F)},
        second{set.layer("second", wide, 12, 3)} {}
  Tensor loss(Tape& t, Tensor x, Tensor target) const {
    const Window same{3, 1, 1};
    Tensor h = conv2d(x, t.parameter(*first.weights), t.parameter(*first.bias), same);
    h = prelu(h, t.parameter(*slopes));
    h = conv2d(h, t.parameter(*second.weights), t.parameter(*second.bias), same);
    return charbonnier(pixel_shuffle(h, 2), target);
  }
  ParameterSet::Layer first;
  Parameter* slopes;
  ParameterSet::Layer second;
};

Status epoch(Tape& tape, const Net& net, Optimiser& optimiser, Average& average, int size, std::uint64_t number) {
  const Shape low{2, 3, size, size}, high{2, 3, 2 * size, 2 * size};
  for (std::uint64_t batch = 0; batch < 3; ++batch) {
    tape.reset();
    const Tensor x = tape.input(low, noise(low.count(), 2 * batch));
    const Tensor target = tape.input(high, noise(high.count(), 2 * batch + 1));
    if (auto done = tape.backward(net.loss(tape, x, target)); !done) return done;
    if (auto done = optimiser.step(1e-3); !done) return done;
    if (auto done = average.update(3 * number + batch); !done) return done;
    if (auto done = tape.device().flush(); !done) return done;
  }
  return tape.device().sync();
}

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
    ASSERT_TRUE(epoch(tape, net, *optimiser, *average, 3, i - 1));
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
  for (std::uint64_t kib = 1; kib < 4000 && !succeeded; kib += 7) {
    auto on = device({.pool = {.limit = Bytes{kib << 10U}}});
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
    EXPECT_LE(on->statistics().peak, Bytes{kib << 10U});
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
                                                 }},
                                           Maker{"cpu",
                                                 [](HostSettings settings) -> std::unique_ptr<Device> {
                                                   return std::make_unique<CpuDevice>(2, settings);
                                                 }}),
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
}  // namespace weir::nn::train
