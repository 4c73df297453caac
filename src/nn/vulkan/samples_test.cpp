// Tests the kernel that makes 8-bit samples alone, and how the host reads its flags.

#include "nn/vulkan/samples_layout.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "nn/vulkan/tile_check.hpp"
#include "vulkan_devices.hpp"

namespace weir::nn::vulkan {
namespace {

using compute::vulkan::BindingSlot;
using compute::vulkan::Dispatch;
using compute::vulkan::MemoryUsage;
using compute::vulkan::Slice;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
const ColourRange kManyColours{{0, 0, 0}, {1, 1, 1}};
const ColourRange kOneColour{{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}};

class VulkanSamples : public test::OpenVulkanTest {
 protected:
  /// Returns a picture [h][w][4] in which all values are `value`.
  static std::vector<float> pixels(const Rect& rect, float value) {
    return std::vector<float>(static_cast<std::size_t>(rect.width()) * static_cast<std::size_t>(rect.height()) * 4,
                              value);
  }
  /// Runs samples_out.comp on a picture [h][w][4]. Returns the samples and flags that it writes (SamplesLayout).
  std::vector<std::byte> run(const Rect& rect, const std::vector<float>& picture) {
    const SamplesLayout layout{rect};
    const std::size_t bytes = picture.size() * sizeof(float);
    const auto in = acquire_buffer(Bytes{bytes}, MemoryUsage::upload);
    std::memcpy(in.host(), picture.data(), bytes);
    const auto out = acquire_buffer(Bytes{layout.total_bytes()}, MemoryUsage::download);
    std::memset(out.host(), 0xEE, layout.total_bytes());  // bytes that the kernel does not write stay 0xEE
    const auto to_word = [](int n) { return static_cast<std::uint32_t>(n); };
    const Slice to{out.handle(), 0, layout.total_bytes()};
    Dispatch dispatch;
    dispatch.kernel = {"samples_out_ff", {1, 1, 0}};  // no shuffle, one vector per pixel, nothing is added
    dispatch.source(0, {in.handle(), 0, bytes}).write(BindingSlot::target, to);
    dispatch.push_constants(
        std::array<std::uint32_t, 7>{to_word(rect.width()) | to_word(rect.height()) << 16, 0, to_word(rect.width())});
    dispatch.groups = {static_cast<std::uint32_t>(layout.flags_per_row), to_word(rect.height()), 1};
    EXPECT_TRUE(stream_->dispatch(dispatch));
    EXPECT_TRUE(stream_->make_host_readable(to));
    EXPECT_TRUE(stream_->sync());
    return {out.host(), out.host() + layout.total_bytes()};
  }
};

TEST_F(VulkanSamples, AreRoundedAndClipped) {
  const Rect rect{0, 0, 1, 7};
  std::vector<float> picture = pixels(rect, 0);
  const std::vector<std::pair<float, int>> cases{{-1e-3F, 0},       {-0.6F, 0},        {-1e9F, 0},
                                                 {0.499F / 255, 0}, {0.501F / 255, 1}, {100.4F / 255, 100},
                                                 {0.9999F, 255},    {1.01F, 255},      {1e9F, 255}};
  for (std::size_t i = 0; i < cases.size(); ++i) picture[i / 3 * 4 + i % 3] = cases[i].first;  // three in each pixel
  const std::vector<std::byte> made = run(rect, picture);
  for (std::size_t i = 0; i < cases.size(); ++i) EXPECT_EQ(std::to_integer<int>(made[i]), cases[i].second) << i;
}

TEST_F(VulkanSamples, ValuesThatAreNotNumbersAreFoundEverywhere) {
  const Rect rect{0, 0, 3, 517};
  for (const float bad : {kNaN, kInfinity, -kInfinity}) {
    // The first and the last pixel, and both sides of the border between two words of flags.
    for (const std::size_t pixel : {std::size_t{0}, std::size_t{255}, std::size_t{256}, std::size_t{3 * 517 - 1}}) {
      std::vector<float> picture = pixels(rect, 0.5F);
      EXPECT_TRUE(check_samples(run(rect, picture).data(), rect, kOneColour));
      picture[pixel * 4 + pixel % 3] = bad;
      const auto status = check_samples(run(rect, picture).data(), rect, kOneColour);
      ASSERT_FALSE(status) << bad << " at " << pixel;
      EXPECT_EQ(status.error().code, Errc::bad_values);
    }
  }
}

TEST_F(VulkanSamples, OneColourIsAFaultOnlyWhereThePictureHasMany) {
  const Rect rect{0, 0, 4, 259};
  for (const float value : {0.0F, -0.2F, 0.5F, 1.0F}) {
    std::vector<float> picture = pixels(rect, value);
    EXPECT_FALSE(check_samples(run(rect, picture).data(), rect, kManyColours)) << value;
    EXPECT_TRUE(check_samples(run(rect, picture).data(), rect, kOneColour)) << value;
    // One value of the last pixel differs, although the samples may be equal because they are limited to 0..255.
    picture[picture.size() - 3] += value > 0.5F ? 0.1F : -0.1F;
    const std::vector<std::byte> made = run(rect, picture);
    EXPECT_TRUE(check_samples(made.data(), rect, kManyColours)) << value;
    EXPECT_TRUE(is_non_uniform(made.data(), SamplesLayout{rect}, 3)) << "the last row";
    EXPECT_FALSE(is_non_uniform(made.data(), SamplesLayout{rect}, 2));
  }
  // Each row has one colour, but the last row has another than the first three: no flag is set.
  std::vector<float> picture = pixels(rect, 0.25F);
  std::fill(picture.end() - 4 * rect.width(), picture.end(), 0.75F);
  EXPECT_TRUE(check_samples(run(rect, picture).data(), rect, kManyColours));
}

}  // namespace
}  // namespace weir::nn::vulkan
