// Tests of pictures that a Vulkan device enlarges: they equal those of the CPU, stay within the memory limit, and leave
// no memory allocated.

#include "enhance/upscale_device_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/process_memory.hpp"

namespace weir::enhance {
namespace {

using nn::vulkan::DevicePrecision;
using testing::HasSubstr;

TEST_F(VulkanUpscale, EveryKindOfPictureIsWithinOneGreyLevelOfTheCpu) {
  const auto network = network_of("realcugan2x_se", 8);
  struct Kind {
    int colours;
    bool alpha;
    int bits;
    bool tta;
  };
  for (const Kind& kind : {Kind{3, false, 8, false}, Kind{1, false, 8, false}, Kind{3, true, 8, false},
                           Kind{3, false, 16, false}, Kind{3, false, 8, true}}) {
    const Picture picture = draw_noisy_picture(26, 21, kind.colours, kind.alpha, kind.bits);
    UpscaleSettings on_cpu = cpu();
    UpscaleSettings on_gpu = gpu();
    on_cpu.tta = on_gpu.tta = kind.tta;
    const auto expected = enlarge(network, picture, on_cpu);
    ASSERT_TRUE(expected) << expected.error().what;
    const auto result = enlarge(network, picture, on_gpu);
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_LE(largest_difference(*result, *expected, kind.bits),
              kind.bits == 8 ? 1 : 257);  // 257 of 65535 is one grey level
    EXPECT_TRUE(result->events.empty());
    if (kind.tta) continue;
    on_gpu.device_settings.tile = 33;
    const auto tiled = enlarge(network, picture, on_gpu);
    ASSERT_TRUE(tiled) << tiled.error().what;
    EXPECT_GT(tiled->plan.passes, 1);
    EXPECT_TRUE(tiled->samples == result->samples);
  }
}

TEST_F(VulkanUpscale, ANetworkWhoseResultIsAddedToThePicture) {
  const auto network = network_of("realcugan4x_se", 16);
  const Picture picture = draw_noisy_picture(31, 29);
  const auto expected = enlarge(network, picture, cpu());
  ASSERT_TRUE(expected) << expected.error().what;
  const auto result = enlarge(network, picture, gpu());
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_LE(largest_difference(*result, *expected), 1);
}

TEST_F(VulkanUpscale, TheRowsBeingConvertedAreWithinThePlan) {
  const auto network = network_of("animevideo_x2", 8);
  const Picture picture = draw_noisy_picture(30, 50);
  for (const int tile : {0, 16}) {
    UpscaleSettings settings = gpu();
    settings.device_settings.tile = tile;
    const auto result = enlarge(network, picture, settings);
    ASSERT_TRUE(result) << result.error().what;
    const auto& parts = result->plan.parts;
    const auto part = std::find_if(parts.begin(), parts.end(),
                                   [](const PlanPart& each) { return each.name == "rows being converted"; });
    ASSERT_NE(part, parts.end());
    EXPECT_LE(result->largest_write, part->ram) << tile;
  }
}

TEST_F(VulkanUpscale, APictureOfOneColourIsNoFault) {
  for (const char* family : {"realcugan2x_se", "realcugan4x_se", "animevideo_x2"}) {
    const auto network = network_of(family, 8);
    for (const std::array<int, 3>& colour : {std::array{0, 0, 0}, {255, 255, 255}, {128, 128, 128}, {250, 3, 97}}) {
      Picture picture = draw_noisy_picture(23, 19);
      for (std::size_t i = 0; i < picture.samples.size(); ++i) picture.samples[i] = std::byte(colour[i % 3]);
      const auto expected = enlarge(network, picture, cpu());
      ASSERT_TRUE(expected) << expected.error().what;
      UpscaleSettings settings = gpu();
      settings.device_settings.tile = 31;
      const auto result = enlarge(network, picture, settings);
      ASSERT_TRUE(result) << result.error().what;
      EXPECT_LE(largest_difference(*result, *expected), 1) << family << ' ' << colour[0];
      EXPECT_TRUE(result->events.empty()) << family << ' ' << colour[0] << ": " << result->events[0];
      EXPECT_EQ(result->retries, 0U);
    }
  }
}

/// Returns a network that makes every picture one colour. For a picture of one colour this is correct, for other
/// pictures it is a fault.
std::shared_ptr<const nn::Network> flat_network(float value) {
  std::vector<std::byte> bin(4 + 3 * 27 * 4);  // a tag of zeros (float32), and weights of 0; the biases follow
  for (int c = 0; c < 3; ++c) {
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bin.insert(bin.end(), from, from + 4);
  }
  auto network = nn::parse_network(
      "7767517\n2 2\nInput in 0 1 data\nConvolution a 1 1 data output 0=3 1=3 4=1 5=1 6=81\n", bin, "one");
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

TEST_F(VulkanUpscale, OneColourWhereThePictureHasManyIsAFault) {
  for (const float value : {0.0F, -0.3F, 1.0F}) {
    const auto network = flat_network(value);
    UpscaleSettings settings = gpu();
    settings.device_settings.strict = true;
    const auto refused = enlarge(network, draw_noisy_picture(40, 30), settings);
    ASSERT_FALSE(refused) << value;
    EXPECT_EQ(refused.error().code, Errc::bad_values);
    EXPECT_THAT(refused.error().what, HasSubstr("a single colour"));
    Picture flat = draw_noisy_picture(40, 30);
    std::fill(flat.samples.begin(), flat.samples.end(), std::byte{77});
    EXPECT_TRUE(enlarge(network, flat, settings)) << value;
  }
}

TEST_F(VulkanUpscale, AnotherScaleRunsTheNetworkTwice) {
  const auto network = network_of("animevideo_x2", 8);
  const Picture picture = draw_noisy_picture(20, 17);
  UpscaleSettings on_cpu = cpu();
  UpscaleSettings on_gpu = gpu();
  on_cpu.scale = on_gpu.scale = 4;
  const auto expected = enlarge(network, picture, on_cpu);
  const auto result = enlarge(network, picture, on_gpu);
  ASSERT_TRUE(expected && result);
  EXPECT_LE(largest_difference(*result, *expected), 1);
}

TEST_F(VulkanUpscale, Float16IsNearAndTilesChangeNoBitOfIt) {
  for (const char* family : {"realcugan2x_se", "animevideo_x2"}) {
    const auto network = network_of(family, 16);
    const Picture picture = draw_noisy_picture(40, 36);
    UpscaleSettings settings = gpu();
    settings.precision = Precision::automatic;
    settings.device_settings.precision = DevicePrecision::float16;
    const auto expected = enlarge(network, picture, cpu());
    const auto result = enlarge(network, picture, settings);
    ASSERT_TRUE(expected && result);
    EXPECT_EQ(result->plan.precision, "float16");
    double squares = 0;
    for (std::size_t i = 0; i < result->samples.size(); ++i) {
      const int off = static_cast<int>(result->samples[i]) - static_cast<int>(expected->samples[i]);
      squares += off * off;
    }
    EXPECT_LT(squares / static_cast<double>(result->samples.size()), 255.0 * 255.0 / 63095.0) << "48 dB";
    settings.device_settings.tile = 21;
    const auto tiled = enlarge(network, picture, settings);
    ASSERT_TRUE(tiled) << tiled.error().what;
    EXPECT_TRUE(tiled->samples == result->samples);
  }
}

/// Returns a 1x network that copies the picture and has one more channel, which exceeds float16 and has no effect.
std::shared_ptr<const nn::Network> network_beyond_float16() {
  std::vector<float> first(32 * 27, 0.0F);
  std::vector<float> bias(32, 0.0F);
  for (std::size_t c = 0; c < 3; ++c) first[c * 27 + c * 9 + 4] = 1;
  bias[31] = 1e6F;
  std::vector<float> second(3 * 32 * 9, 0.0F);
  for (std::size_t c = 0; c < 3; ++c) second[(c * 32 + c) * 9 + 4] = 1;
  second[31 * 9 + 4] = 0;
  std::vector<std::byte> bin;
  const auto append = [&](const void* data, std::size_t bytes) {
    const auto* from = static_cast<const std::byte*>(data);
    bin.insert(bin.end(), from, from + bytes);
  };
  const std::uint32_t float32_tag = 0;  // stands before the weights of each layer
  append(&float32_tag, 4);
  append(first.data(), first.size() * 4);
  append(bias.data(), bias.size() * 4);
  append(&float32_tag, 4);
  append(second.data(), second.size() * 4);
  const float second_bias[3] = {0, 0, 0};
  append(second_bias, sizeof second_bias);
  auto network = nn::parse_network(
      "7767517\n3 3\nInput in 0 1 data\nConvolution a 1 1 data x 0=32 1=3 4=1 5=1 6=864\n"
      "Convolution b 1 1 x output 0=3 1=3 4=1 5=1 6=864\n",
      bin, "beyond");
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

TEST_F(VulkanUpscale, ValuesThatAreNoNumbersAreRepeatedSmallerAndThenInFloat32) {
  const Picture picture = draw_noisy_picture(48, 40);
  UpscaleSettings settings = gpu();
  settings.precision = Precision::automatic;
  settings.device_settings.precision = DevicePrecision::float16;
  const auto result = enlarge(network_beyond_float16(), picture, settings);
  ASSERT_TRUE(result) << result.error().what;
  ASSERT_EQ(result->events.size(), 2U);
  EXPECT_THAT(result->events[0], HasSubstr("infinite or NaN: repeated with tiles of 34 pixels"));
  EXPECT_THAT(result->events[1], HasSubstr("repeated in float32"));
  EXPECT_TRUE(result->samples == picture.samples);
}

/// Enlarges 200 pictures with one upscaler. Expects that no memory grows after the tenth, by which time the pool and
/// the caches are filled.
void expect_no_growth_after_ten_pictures(const char* family, const UpscaleSettings& settings) {
  const auto network = network_of(family, 8);
  auto upscaler = PictureUpscaler::create(network, settings);
  ASSERT_TRUE(upscaler) << upscaler.error().what;
  DeviceReport tenth;
  Bytes resident_after_ten;
  for (int i = 1; i <= 200; ++i) {
    // Two sizes in turn, so that the pool must serve both.
    const auto result = enlarge_with(**upscaler, draw_noisy_picture(8 + i % 2 * 5, 7), settings);
    ASSERT_TRUE(result) << result.error().what;
    if (i != 10) continue;
    tenth = *(*upscaler)->device_report();
    resident_after_ten = resident_memory();
  }
  const DeviceReport last = *(*upscaler)->device_report();
  EXPECT_EQ(last.memory.allocated, tenth.memory.allocated);
  EXPECT_EQ(last.memory.peak, tenth.memory.peak);
  EXPECT_EQ(last.memory.misses, tenth.memory.misses) << "no picture after the tenth asked the driver for memory";
  EXPECT_EQ(last.memory.driver_reported, tenth.memory.driver_reported);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (test::requested_validation() == compute::vulkan::Validation::none) {
    EXPECT_LE(resident_memory(), resident_after_ten + 2_MiB);
  } else {
    EXPECT_LE(resident_memory(), resident_after_ten + 16_MiB) << "the validation layer keeps some records of its own";
  }
#endif
}

TEST_F(VulkanUpscale, TwoHundredPicturesLeaveNothingBehind) {
  expect_no_growth_after_ten_pictures("realcugan2x_se", gpu());
}

TEST_F(VulkanUpscale, TwoHundredPicturesInCopiedTilesLeaveNothingBehind) {
  UpscaleSettings settings = gpu();
  settings.device_settings.tile = 24;
  settings.device_settings.always_copy = true;
  expect_no_growth_after_ten_pictures("animevideo_x2", settings);
}

TEST_F(VulkanUpscale, TheDevicesMemoryLimitMakesTilesSmallerAndChangesNoPixel) {
  const auto network = network_of("realcugan2x_se", 8);
  const Picture picture = draw_noisy_picture(120, 90);
  UpscaleSettings settings = gpu();
  const auto wide = enlarge(network, picture, settings);
  ASSERT_TRUE(wide) << wide.error().what;
  settings.device_settings.memory = Bytes{wide->plan.device_memory.count() / 3};
  const auto narrow = enlarge(network, picture, settings);
  ASSERT_TRUE(narrow) << narrow.error().what;
  EXPECT_LT(narrow->plan.tile, wide->plan.tile);
  EXPECT_LE(narrow->plan.device_memory, settings.device_settings.memory);
  EXPECT_TRUE(narrow->samples == wide->samples);
  settings.device_settings.memory = 64_KiB;
  const auto refused = enlarge(network, picture, settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_THAT(refused.error().what, HasSubstr("with tiles of 16 pixels; available: 64 KiB"));
  EXPECT_THAT(refused.error().what, HasSubstr("; raise --vram or --ram"));
}

TEST_F(VulkanUpscale, MoreMemoryIsOnlyAdvisedWhereItHelps) {
  UpscaleSettings settings = gpu();
  settings.device_settings.tile = 256;
  nn::vulkan::Gpu small = *settings.gpu;
  small.info.max_buffer_range = 512_KiB;
  settings.gpu = std::make_shared<const nn::vulkan::Gpu>(small);
  const auto refused = enlarge(network_of("animevideo_x2", 8), draw_noisy_picture(300, 200), settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_THAT(refused.error().what,
              HasSubstr("tiles of 256 pixels are larger than a kernel of this device can compute"));
  EXPECT_THAT(refused.error().what, testing::Not(HasSubstr("raise")));
}

}  // namespace
}  // namespace weir::enhance
