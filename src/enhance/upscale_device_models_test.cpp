// Compares the results of the published networks on a Vulkan device with those of the CPU, and prints a table row for
// each network. The networks are outside the project, in ../shared. The test takes a few minutes, so it runs only with
// WEIR_ALL_REFERENCES=1.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "enhance/upscale_device_test.hpp"
#include "places.hpp"

namespace weir::enhance {
namespace {

namespace fs = std::filesystem;
using nn::vulkan::DevicePrecision;

/// Returns the peak signal-to-noise ratio of two results of 8 bits in dB; infinite if they are equal.
double psnr_db(const Enlarged& a, const Enlarged& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const double off = std::to_integer<int>(a.samples[i]) - std::to_integer<int>(b.samples[i]);
    squares += off * off;
  }
  return squares == 0 ? INFINITY : 10 * std::log10(255.0 * 255.0 * static_cast<double>(a.samples.size()) / squares);
}

TEST_F(VulkanUpscale, EveryPublishedNetworkEqualsTheCpu) {
  const fs::path models = fs::path{places::source()} / ".." / "shared" / "models";
  if (std::getenv("WEIR_ALL_REFERENCES") == nullptr || !fs::exists(models))
    GTEST_SKIP() << "WEIR_ALL_REFERENCES is not set, or there is no ../shared/models";
  const Picture picture = draw_noisy_picture(44, 37);
  int networks = 0;
  for (const auto& entry : fs::recursive_directory_iterator{models}) {
    if (entry.path().extension() != ".param") continue;
    const auto loaded = nn::load_network(entry.path());
    ASSERT_TRUE(loaded) << loaded.error().what;
    const auto network = std::make_shared<const nn::Network>(*loaded);
    const auto expected = enlarge(network, picture, cpu());
    ASSERT_TRUE(expected) << expected.error().what;
    const auto exact = enlarge(network, picture, gpu());
    ASSERT_TRUE(exact) << exact.error().what;
    UpscaleSettings settings = gpu();
    settings.device_settings.tile = 33;
    const auto tiled = enlarge(network, picture, settings);
    ASSERT_TRUE(tiled) << tiled.error().what;
    settings.device_settings.always_copy = true;
    const auto copied = enlarge(network, picture, settings);
    ASSERT_TRUE(copied) << copied.error().what;
    settings = gpu();
    settings.precision = Precision::automatic;
    settings.device_settings.precision = DevicePrecision::float16;
    const auto half = enlarge(network, picture, settings);
    ASSERT_TRUE(half) << half.error().what;
    const std::string name = entry.path().parent_path().filename().string() + "/" + network->name;
    EXPECT_LE(largest_difference(*exact, *expected), 1) << name;
    EXPECT_TRUE(tiled->samples == exact->samples) << name;
    EXPECT_TRUE(copied->samples == exact->samples) << name;
    EXPECT_GE(psnr_db(*half, *expected), 48) << name;
    EXPECT_TRUE(exact->events.empty() && tiled->events.empty() && copied->events.empty() && half->events.empty())
        << name;
    std::printf("| %s | %d | %d | %d | %.1f dB |\n", name.c_str(), largest_difference(*exact, *expected),
                largest_difference(*tiled, *exact), largest_difference(*copied, *exact), psnr_db(*half, *expected));
    std::fflush(stdout);
    ++networks;
  }
  EXPECT_GT(networks, 0);
}

}  // namespace
}  // namespace weir::enhance
