#pragma once

// Helpers for tests of pictures on a Vulkan device: pictures, networks, and functions that enlarge them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enhance/picture_upscaler.hpp"
#include "memory_picture.hpp"
#include "networks/generate_network.hpp"
#include "nn/vulkan/gpu.hpp"
#include "vulkan_devices.hpp"

namespace weir::enhance {

/// A picture in memory.
struct Picture {
  media::PictureInfo info;
  std::vector<std::byte> samples;
};

/// Returns a picture of slopes and noise; every channel is different.
inline Picture draw_noisy_picture(int width, int height, int colours = 3, bool alpha = false, int bits = 8) {
  Picture p;
  p.info = {.width = width, .height = height, .colours = colours, .alpha = alpha, .bits = bits};
  test::SeededNumbers numbers{11};
  for (std::size_t i = 0; i < p.info.row_bytes() * static_cast<std::size_t>(height); ++i) {
    const auto slope = static_cast<unsigned>(i * 3 / static_cast<std::size_t>(width));
    p.samples.push_back(static_cast<std::byte>((slope % 180 + numbers.next() % 60) & 255U));
  }
  return p;
}

/// Returns a generated network of a family.
inline std::shared_ptr<const nn::Network> network_of(std::string_view family, int channels = 32) {
  const test::GeneratedNetwork made = test::generate_network(family, {.channels = channels});
  auto network = nn::parse_network(made.param, made.bin, std::string{family});
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

/// An enlarged picture, and how it was made.
struct Enlarged {
  std::vector<std::byte> samples;
  UpscalePlan plan;
  std::vector<std::string> events;  ///< messages of PictureUpscaler::run()
  std::uint64_t retries = 0;        ///< EngineCounts::retries
  Bytes largest_write{};            ///< most bytes that the writer received at once
};

/// Enlarges a picture with an existing upscaler.
inline Result<Enlarged> enlarge_with(PictureUpscaler& upscaler, const Picture& picture,
                                     const UpscaleSettings& settings) {
  media::WriteOptions output;
  output.row_format = rows_info(upscaler.network(), picture.info, settings);
  auto plan = upscaler.plan(picture.info, {}, output);
  if (!plan) return plan.error();
  test::MemoryReader reader{picture.info, picture.samples};
  test::MemoryWriter writer;
  auto events = upscaler.run({*plan, reader, writer, {}, {}});
  if (!events) return events.error();
  EXPECT_EQ(writer.samples().size(),
            output.row_format.row_bytes() * static_cast<std::size_t>(output.row_format.height));
  const auto report = upscaler.device_report();
  return Enlarged{writer.samples(), *plan, *events, report ? report->counts.retries : 0, writer.largest_write()};
}

/// Enlarges a picture with a new upscaler.
inline Result<Enlarged> enlarge(const std::shared_ptr<const nn::Network>& network, const Picture& picture,
                                const UpscaleSettings& settings) {
  auto upscaler = PictureUpscaler::create(network, settings);
  if (!upscaler) return upscaler.error();
  return enlarge_with(**upscaler, picture, settings);
}

/// Returns the largest difference between two samples at the same place; each sample has `bits` bits.
inline int largest_difference(const Enlarged& a, const Enlarged& b, int bits = 8) {
  EXPECT_EQ(a.samples.size(), b.samples.size());
  int largest = 0;
  const std::size_t step = bits == 8 ? 1 : 2;  // bytes of a sample
  for (std::size_t i = 0; i + step <= std::min(a.samples.size(), b.samples.size()); i += step) {
    const auto value = [&](const Enlarged& e) {
      return static_cast<int>(e.samples[i]) | (bits == 8 ? 0 : static_cast<int>(e.samples[i + 1]) << 8);
    };
    largest = std::max(largest, std::abs(value(a) - value(b)));
  }
  return largest;
}

/// Base of tests that compare a Vulkan device with the CPU.
class VulkanUpscale : public test::VulkanTest {
 protected:
  /// Returns settings for a run on the CPU in float32.
  UpscaleSettings cpu() const {
    UpscaleSettings s;
    s.ram = 4_GiB;
    s.threads = 2;
    s.precision = Precision::exact;
    return s;
  }
  /// Returns settings for a run on the test's device in float32.
  UpscaleSettings gpu() const {
    UpscaleSettings s = cpu();
    s.gpu = std::make_shared<const nn::vulkan::Gpu>(nn::vulkan::Gpu{instance(), device(), false});
    return s;
  }
};

}  // namespace weir::enhance
