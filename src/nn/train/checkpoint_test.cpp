// Tests that a training continues from a checkpoint as if it had not stopped, on every device, and that damaged files
// and those of other trainings are refused.
#include "nn/train/checkpoint.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "folder.hpp"
#include "nn/train/cpu_training_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/training_suite_test.hpp"

namespace weir::nn::train::test {
namespace {

/// A training of one linear layer with an optimiser and a moving average. It repeats its step on the same values.
struct Small {
  explicit Small(int channels, std::unique_ptr<TrainingDevice> device = std::make_unique<CpuTrainingDevice>(1))
      : test_device{std::move(device)}, set{*test_device, 1}, layer{set.add_layer("layer", 2, channels)} {
    optimiser.emplace(*Optimiser::create(set, {}));
    ema.emplace(*WeightEma::create(set, 0.9));
  }
  void step() {
    Tape tape{*test_device};
    const std::vector<float> values{1, 2, 3, 4};
    const TapeTensor x = tape.input({2, 2}, values);
    EXPECT_TRUE(tape.backward(mean(tanh(linear(x, tape.parameter(*layer.weights), tape.parameter(*layer.bias))))));
    EXPECT_TRUE(optimiser->step(0.1));
    EXPECT_TRUE(ema->update(optimiser->steps() - 1));
  }
  TrainingState state() { return {set, *optimiser, &*ema}; }
  /// Returns the file of a checkpoint at position 42.
  std::vector<std::byte> bytes() { return to_bytes(*take_checkpoint(state(), 42)); }

  std::unique_ptr<TrainingDevice> test_device;
  ParameterSet set;
  ParameterSet::Layer layer;
  std::optional<Optimiser> optimiser;
  std::optional<WeightEma> ema;
};

TEST_P(Training, ResumingFromACheckpointIsBitIdentical) {
  Small whole{3, device()}, other{3, device()};  // `other` continues from the checkpoint of `whole`
  for (int i = 0; i < 3; ++i) whole.step();
  const auto saved = parse_checkpoint(whole.bytes(), "saved");
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->position, 42U);
  ASSERT_TRUE(restore_checkpoint(*saved, other.state()));
  for (int i = 0; i < 3; ++i) {
    whole.step();
    other.step();
  }
  EXPECT_EQ(whole.bytes(), other.bytes());
}

TEST_P(Training, ACheckpointWorksOnAnotherDeviceAndBack) {
  Small whole{3}, there{3, device()}, back{3};  // on the CPU, on the tested device, and on the CPU again
  for (int i = 0; i < 3; ++i) whole.step();
  const auto first = parse_checkpoint(whole.bytes(), "first");
  ASSERT_TRUE(first && restore_checkpoint(*first, there.state()));
  EXPECT_EQ(there.bytes(), whole.bytes());
  there.step();
  const auto second = parse_checkpoint(there.bytes(), "second");
  ASSERT_TRUE(second && restore_checkpoint(*second, back.state()));
  whole.step();
  const auto expected = take_checkpoint(whole.state(), 42), got = take_checkpoint(back.state(), 42);
  ASSERT_TRUE(expected && got);
  EXPECT_EQ(got->steps, expected->steps);
  for (std::size_t a = 0; a < expected->arrays.size(); ++a) {
    for (std::size_t i = 0; i < expected->arrays[a].values.size(); ++i) {
      EXPECT_NEAR(got->arrays[a].values[i], expected->arrays[a].values[i], 1e-5F) << expected->arrays[a].name;
    }
  }
}

TEST(TrainingCheckpoint, EveryCutAndEveryChangedByteIsDetected) {
  Small small{1};
  small.step();
  const std::vector<std::byte> bytes = small.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(parse_checkpoint(std::span{bytes}.first(i), "cut")) << i;
    std::vector<std::byte> changed = bytes;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(parse_checkpoint(changed, "changed")) << i;
  }
}

TEST(TrainingCheckpoint, AnotherFormatIsUnsupportedAndNotCorrupt) {
  Small small{1};
  std::vector<std::byte> bytes = small.bytes();
  bytes[7] = std::byte{'2'};  // the version of the format
  const auto refused = parse_checkpoint(bytes, "later");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST(TrainingCheckpoint, AnotherTrainingsCheckpointIsRefusedAndNothingChanges) {
  Small small{2}, large{3};
  large.step();
  const auto saved = parse_checkpoint(large.bytes(), "saved");
  const std::vector<std::byte> before = small.bytes();
  const Status done = restore_checkpoint(*saved, small.state());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_EQ(small.bytes(), before);
  EXPECT_FALSE(restore_checkpoint(*saved, TrainingState{large.set, *large.optimiser, nullptr}));
}

TEST(TrainingCheckpoint, AFileReplacesTheOlderOne) {
  const weir::test::Folder folder;
  const std::filesystem::path path = folder / "training";
  EXPECT_FALSE(load_checkpoint(path));
  Small small{2};
  ASSERT_TRUE(save_checkpoint(*take_checkpoint(small.state(), 1), path));
  small.step();
  ASSERT_TRUE(save_checkpoint(*take_checkpoint(small.state(), 2), path));
  const auto loaded = load_checkpoint(path);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->position, 2U);
  EXPECT_EQ(loaded->steps, 1U);
}

}  // namespace
}  // namespace weir::nn::train::test
