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
#include "nn/train/cpu_device.hpp"
#include "nn/train/ops.hpp"
#include "nn/train/training_suite_test.hpp"

namespace weir::nn::train::test {
namespace {

/// A training whose weights, optimiser and mean are no longer what they started as.
struct Small {
  explicit Small(int wide, std::unique_ptr<Device> device = std::make_unique<CpuDevice>(1))
      : on{std::move(device)}, set{*on, 1}, layer{set.layer("layer", 2, wide)} {
    optimiser.emplace(*Optimiser::create(set, {}));
    average.emplace(*Average::create(set, 0.9));
  }
  void step() {
    Tape tape{*on};
    const std::vector<float> values{1, 2, 3, 4};
    const Tensor x = tape.input({2, 2}, values);
    EXPECT_TRUE(tape.backward(mean(tanh(linear(x, tape.parameter(*layer.weights), tape.parameter(*layer.bias))))));
    EXPECT_TRUE(optimiser->step(0.1));
    EXPECT_TRUE(average->update(optimiser->steps() - 1));
  }
  Progress progress() { return {set, *optimiser, &*average}; }
  std::vector<std::byte> bytes() { return to_bytes(*take_checkpoint(progress(), 42)); }

  std::unique_ptr<Device> on;
  ParameterSet set;
  ParameterSet::Layer layer;
  std::optional<Optimiser> optimiser;
  std::optional<Average> average;
};

TEST_P(Training, ACheckpointGoesOnWithTheSameBits) {
  Small whole{3, device()}, other{3, device()};
  for (int i = 0; i < 3; ++i) whole.step();
  const auto saved = parse_checkpoint(whole.bytes(), "saved");
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->position, 42U);
  ASSERT_TRUE(restore(*saved, other.progress()));
  for (int i = 0; i < 3; ++i) {
    whole.step();
    other.step();
  }
  EXPECT_EQ(whole.bytes(), other.bytes());
}

TEST_P(Training, ACheckpointGoesOnOnAnotherDeviceAndBack) {
  Small whole{3}, there{3, device()}, back{3};
  for (int i = 0; i < 3; ++i) whole.step();
  const auto first = parse_checkpoint(whole.bytes(), "first");
  ASSERT_TRUE(first && restore(*first, there.progress()));
  EXPECT_EQ(there.bytes(), whole.bytes());
  there.step();
  const auto second = parse_checkpoint(there.bytes(), "second");
  ASSERT_TRUE(second && restore(*second, back.progress()));
  whole.step();
  const auto wanted = take_checkpoint(whole.progress(), 42), got = take_checkpoint(back.progress(), 42);
  ASSERT_TRUE(wanted && got);
  EXPECT_EQ(got->steps, wanted->steps);
  for (std::size_t a = 0; a < wanted->arrays.size(); ++a) {
    for (std::size_t i = 0; i < wanted->arrays[a].values.size(); ++i) {
      EXPECT_NEAR(got->arrays[a].values[i], wanted->arrays[a].values[i], 1e-5F) << wanted->arrays[a].name;
    }
  }
}

TEST(TrainingCheckpoint, EveryCutAndEveryChangedByteIsSeen) {
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

TEST(TrainingCheckpoint, AnotherFormIsNoDamage) {
  Small small{1};
  std::vector<std::byte> bytes = small.bytes();
  bytes[7] = std::byte{'2'};
  const auto refused = parse_checkpoint(bytes, "later");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

TEST(TrainingCheckpoint, AnotherTrainingsIsRefusedAndNothingChanges) {
  Small small{2}, large{3};
  large.step();
  const auto saved = parse_checkpoint(large.bytes(), "saved");
  const std::vector<std::byte> before = small.bytes();
  const Status done = restore(*saved, small.progress());
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_EQ(small.bytes(), before);
  EXPECT_FALSE(restore(*saved, Progress{large.set, *large.optimiser, nullptr}));
}

TEST(TrainingCheckpoint, AFileReplacesTheLast) {
  const weir::test::Folder folder;
  const std::filesystem::path path = folder / "training";
  EXPECT_FALSE(load_checkpoint(path));
  Small small{2};
  ASSERT_TRUE(save_checkpoint(*take_checkpoint(small.progress(), 1), path));
  small.step();
  ASSERT_TRUE(save_checkpoint(*take_checkpoint(small.progress(), 2), path));
  const auto loaded = load_checkpoint(path);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->position, 2U);
  EXPECT_EQ(loaded->steps, 1U);
}

}  // namespace
}  // namespace weir::nn::train::test
