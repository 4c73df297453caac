// Tests whole pictures on the CPU: they equal those of the reference implementation and of established programs,
// whatever the size, the format and the memory limit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "enhance/geometry.hpp"
#include "enhance/picture_upscaler.hpp"
#include "enhance/result_converter.hpp"
#include "enhance/run_plan.hpp"
#include "memory_picture.hpp"
#include "networks/generate_network.hpp"
#include "nn/reference.hpp"
#include "nn/taps.hpp"
#include "places.hpp"

namespace weir::enhance {
namespace {

/// A picture in memory. at() and set() access sample c of the pixel in row y and column x.
struct TestPicture {
  media::PictureInfo info;
  std::vector<std::byte> samples;

  int at(int y, int x, int c) const {
    const std::size_t i = (static_cast<std::size_t>(y) * info.width + x) * info.channels() + c;
    if (info.bits == 8) return static_cast<int>(samples[i]);
    return static_cast<int>(samples[2 * i]) | static_cast<int>(samples[2 * i + 1]) << 8;
  }
  void set(int y, int x, int c, int value) {
    const std::size_t i = (static_cast<std::size_t>(y) * info.width + x) * info.channels() + c;
    if (info.bits == 8) {
      samples[i] = static_cast<std::byte>(value);
    } else {
      samples[2 * i] = static_cast<std::byte>(value & 255);
      samples[2 * i + 1] = static_cast<std::byte>(value >> 8);
    }
  }
};

/// Returns a picture in which every sample is 0.
TestPicture blank(int width, int height, int colours = 3, bool alpha = false, int bits = 8) {
  TestPicture p;
  p.info = {.width = width, .height = height, .colours = colours, .alpha = alpha, .bits = bits};
  p.samples.resize(p.info.row_bytes() * static_cast<std::size_t>(height));
  return p;
}

/// Returns a picture of generated values, the same for both bit depths except for rounding. Alpha is a pattern of
/// ramps.
TestPicture draw_test_picture(int width, int height, int colours = 3, bool alpha = false, int bits = 8) {
  TestPicture p = blank(width, height, colours, alpha, bits);
  const std::vector<float> values = test::generated_picture(height, width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < colours; ++c) {
        const float value = values[static_cast<std::size_t>((c * height + y) * width + x)];
        p.set(y, x, c, static_cast<int>(std::lround(value * (bits == 8 ? 255.0F : 65535.0F))));
      }
      if (alpha) p.set(y, x, colours, (x * 9 + y * 5) % 256);
    }
  }
  return p;
}

/// Returns a generated network of a family.
std::shared_ptr<const nn::Network> network_of(std::string_view family, int channels = 32) {
  const test::GeneratedNetwork made = test::generate_network(family, {.channels = channels});
  auto network = nn::parse_network(made.param, made.bin, std::string{family});
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

/// Returns settings for float32 with more memory than any test picture needs.
UpscaleSettings exact() {
  UpscaleSettings s;
  s.ram = 4_GiB;
  s.threads = 2;
  s.precision = Precision::exact;
  s.spill_folder = std::filesystem::temp_directory_path();
  return s;
}

/// An enlarged picture, and how it was made.
struct UpscaleOutput {
  TestPicture picture;
  UpscalePlan plan;
  std::vector<std::string> events;  ///< messages of PictureUpscaler::run()
  Bytes largest_write;              ///< most bytes that the writer received at once
};

/// Returns the first part with this name; an empty part if there is none.
PlanPart part_named(std::string_view name, const UpscalePlan& plan) {
  const auto part =
      std::find_if(plan.parts.begin(), plan.parts.end(), [&](const PlanPart& each) { return each.name == name; });
  return part == plan.parts.end() ? PlanPart{} : *part;
}

/// Plans and enlarges a picture with a new upscaler.
Result<UpscaleOutput> run_upscaler(const std::shared_ptr<const nn::Network>& network, const TestPicture& picture,
                                   const UpscaleSettings& settings) {
  auto upscaler = PictureUpscaler::create(network, settings);
  if (!upscaler) return upscaler.error();
  media::WriteOptions output;
  output.row_format = rows_info(*network, picture.info, settings);
  const auto size = final_size(*network, picture.info, settings);
  if (!size) return size.error();
  output.final_width = size->width;
  output.final_height = size->height;
  auto plan = (*upscaler)->plan(picture.info, {}, output);
  if (!plan) return plan.error();
  test::MemoryReader reader{picture.info, picture.samples};
  test::MemoryWriter writer;
  auto events = (*upscaler)->run({*plan, reader, writer, {}, {}});
  if (!events) return events.error();
  UpscaleOutput result{{output.row_format, writer.samples()}, *plan, *events, writer.largest_write()};
  EXPECT_EQ(result.picture.samples.size(),
            output.row_format.row_bytes() * static_cast<std::size_t>(output.row_format.height));
  return result;
}

/// Returns the 8-bit RGB result of the reference implementation for a picture of 8 bits; alpha is ignored.
TestPicture reference_of(const nn::Network& network, const TestPicture& picture) {
  nn::RgbPicture rgb{picture.info.height, picture.info.width, {}};
  for (int y = 0; y < rgb.height; ++y) {
    for (int x = 0; x < rgb.width; ++x) {
      for (int c = 0; c < 3; ++c)
        rgb.values.push_back(static_cast<std::uint8_t>(picture.at(y, x, picture.info.colours == 3 ? c : 0)));
    }
  }
  const auto result = nn::upscale_reference(network, rgb);
  EXPECT_TRUE(result) << (result ? "" : result.error().what);
  TestPicture p = blank(result->width, result->height);
  std::transform(result->values.begin(), result->values.end(), p.samples.begin(),
                 [](std::uint8_t v) { return std::byte{v}; });
  return p;
}

/// Returns the largest difference between two samples at the same place, in the first `channels` channels.
int largest_sample_difference(const TestPicture& a, const TestPicture& b, int channels = 3) {
  EXPECT_EQ(a.info.width, b.info.width);
  EXPECT_EQ(a.info.height, b.info.height);
  int largest = 0;
  for (int y = 0; y < a.info.height; ++y) {
    for (int x = 0; x < a.info.width; ++x) {
      for (int c = 0; c < channels; ++c) largest = std::max(largest, std::abs(a.at(y, x, c) - b.at(y, x, c)));
    }
  }
  return largest;
}

TEST(Reflect, MirrorsWithoutRepeatingTheEdgeAsOftenAsItTakes) {
  EXPECT_EQ(reflect(-1, 5), 1);
  EXPECT_EQ(reflect(5, 5), 3);
  EXPECT_EQ(reflect(-9, 3), 1);
  EXPECT_EQ(reflect(7, 1), 0);
  for (int i = -30; i < 30; ++i) EXPECT_EQ(reflect(i, 4), nn::reflect_position(i, 4)) << i;
}

class UpscaleFamily : public testing::TestWithParam<const char*> {};

TEST_P(UpscaleFamily, EqualsTheReferenceForEverySize) {
  const auto network = network_of(GetParam());
  for (const auto& [width, height] : {std::pair{33, 21}, {1, 1}, {1, 30}, {30, 1}, {5, 47}, {64, 3}}) {
    const TestPicture picture = draw_test_picture(width, height);
    const auto result = run_upscaler(network, picture, exact());
    ASSERT_TRUE(result) << width << "x" << height << ": " << result.error().what;
    EXPECT_LE(largest_sample_difference(result->picture, reference_of(*network, picture)), 1) << width << "x" << height;
  }
}

TEST_P(UpscaleFamily, TheMemoryLimitChangesNoPixel) {
  const auto network = network_of(GetParam());
  const TestPicture picture = draw_test_picture(60, 70);
  UpscaleSettings s = exact();
  const auto ample = run_upscaler(network, picture, s);
  ASSERT_TRUE(ample) << ample.error().what;
  // The memory of the process varies while tests run: start with enough, and reduce the limit until the plan is
  // refused.
  const Bytes largest_limit = ample->plan.ram + 16_MiB;
  int fitted = 0;  // number of limits for which there was a plan
  for (Bytes ram = largest_limit; ram > 2_MiB; ram = ram - 2_MiB) {
    s.ram = ram;
    const auto tight = run_upscaler(network, picture, s);
    if (!tight) {
      EXPECT_EQ(tight.error().code, Errc::over_budget);
      EXPECT_NE(tight.error().what.find("raise --ram"), std::string::npos) << tight.error().what;
      break;
    }
    ++fitted;
    EXPECT_LE(tight->plan.ram, ram);
    EXPECT_TRUE(tight->picture.samples == ample->picture.samples) << to_text(ram);
  }
  EXPECT_GE(fitted, 2);
  s.ram = largest_limit;
  s.spill_limit = 1_GiB;
  const auto spilled = run_upscaler(network, picture, s);
  ASSERT_TRUE(spilled) << spilled.error().what;
  EXPECT_TRUE(spilled->picture.samples == ample->picture.samples);
}

INSTANTIATE_TEST_SUITE_P(Families, UpscaleFamily,
                         testing::Values("realcugan2x_se", "realcugan3x_se", "realcugan4x_se", "realcugan2x_nose",
                                         "animevideo_x2", "animevideo_x3", "general_x4"),
                         [](const auto& name) { return std::string{name.param}; });

TEST(Upscale, APictureTooWideForTheMemoryLimitIsComputedInStrips) {
  const auto network = network_of("animevideo_x2");
  const TestPicture picture = draw_test_picture(6000, 24, 3, true);
  UpscaleSettings s = exact();
  s.precision = Precision::automatic;
  s.threads = 1;
  const auto ample = run_upscaler(network, picture, s);
  ASSERT_TRUE(ample) << ample.error().what;
  EXPECT_EQ(ample->plan.strip_width, 6000);
  EXPECT_EQ(ample->plan.strip_halo, 0);
  for (const Bytes spill : {Bytes{}, 1_GiB}) {
    s.spill_limit = spill;
    bool used_strips = false;
    for (s.ram = ample->plan.ram; s.ram > 1_MiB && !used_strips; s.ram = s.ram - 1_MiB) {
      const auto tight = run_upscaler(network, picture, s);
      if (!tight || tight->plan.strip_width == 6000) continue;
      used_strips = true;
      EXPECT_GT(tight->plan.strip_halo, 0);
      EXPECT_LE(tight->plan.ram, s.ram);
      EXPECT_TRUE(tight->picture.samples == ample->picture.samples) << tight->plan.strip_width;
    }
    EXPECT_TRUE(used_strips) << to_text(spill);
  }
}

/// Plans a picture; `decoder` is the memory and disk space of its reader.
Result<UpscalePlan> plan_only(const std::shared_ptr<const nn::Network>& network, const media::PictureInfo& picture,
                              const UpscaleSettings& settings, const media::MediaNeed& decoder = {}) {
  auto upscaler = PictureUpscaler::create(network, settings);
  if (!upscaler) return upscaler.error();
  media::WriteOptions output;
  output.row_format = rows_info(*network, picture, settings);
  return (*upscaler)->plan(picture, decoder, output);
}

TEST(Upscale, AllFilesTogetherAreWithinTheSpillLimit) {
  const auto network = network_of("realcugan2x_se");
  UpscaleSettings s = exact();
  s.scale = 4;  // the network runs twice
  s.tta = true;
  const media::PictureInfo picture{.width = 200, .height = 160, .colours = 3, .alpha = false, .bits = 8};
  s.spill_limit = 1_GiB;
  const auto ample = plan_only(network, picture, s);
  ASSERT_TRUE(ample) << ample.error().what;
  int plans_with_two_files = 0;
  for (s.ram = ample->ram; s.ram > 2_MiB; s.ram = s.ram - 2_MiB) {
    s.spill_limit = 1_GiB;
    const auto spilled = plan_only(network, picture, s);
    if (!spilled) break;
    Bytes largest;
    for (const PlanPart& part : spilled->parts) largest = std::max(largest, part.disk);
    if (largest == spilled->disk) continue;
    ++plans_with_two_files;
    s.spill_limit = Bytes{spilled->disk.count() - 1};
    const auto limited = plan_only(network, picture, s);
    if (limited) {
      EXPECT_LE(limited->disk, s.spill_limit);
      EXPECT_LE(limited->ram, s.ram);
    } else {
      EXPECT_EQ(limited.error().code, Errc::over_budget);
    }
  }
  EXPECT_GT(plans_with_two_files, 0);
}

TEST(Upscale, TheResultOfEachRunIsStoredWhereThePlanSays) {
  const auto network = network_of("realcugan2x_se");
  UpscaleSettings s = exact();
  s.scale = 4;  // the network runs twice
  s.tta = true;
  s.spill_limit = 1_GiB;
  const media::PictureInfo picture{.width = 200, .height = 160, .colours = 3, .alpha = false, .bits = 8};
  const auto ample = plan_only(network, picture, s);
  ASSERT_TRUE(ample) << ample.error().what;
  int plans_with_both = 0;  // one result in memory and one on disk
  for (s.ram = ample->ram; s.ram > 1_MiB; s.ram = s.ram - 1_MiB) {
    const auto plan = plan_only(network, picture, s);
    if (!plan) break;
    std::vector<bool> planned;
    for (const PlanPart& part : plan->parts) {
      if (part.name == "network's result") planned.push_back(part.disk != Bytes{});
    }
    ASSERT_EQ(planned.size(), 2U);
    EXPECT_EQ(plan->run_plan->stages[0].result_on_disk, planned[0]) << to_text(s.ram);
    EXPECT_EQ(plan->run_plan->stages[1].result_on_disk, planned[1]) << to_text(s.ram);
    if (planned[0] != planned[1]) ++plans_with_both;
  }
  EXPECT_GT(plans_with_both, 0);
}

TEST(Upscale, TheFileOfTheDecoderCountsAsSpilled) {
  const auto network = network_of("animevideo_x2");
  const media::PictureInfo picture{.width = 60, .height = 40, .colours = 3, .alpha = false, .bits = 8};
  const media::MediaNeed decoder{.ram = {}, .disk = 2_MiB};
  UpscaleSettings s = exact();
  s.spill_limit = 2_MiB;
  EXPECT_TRUE(plan_only(network, picture, s, decoder));
  s.spill_limit = Bytes{(2_MiB).count() - 1};
  const auto refused = plan_only(network, picture, s, decoder);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::over_budget);
  EXPECT_NE(refused.error().what.find("--spill"), std::string::npos) << refused.error().what;
  s.spill_limit = {};
  s.spill_folder.clear();
  EXPECT_TRUE(plan_only(network, picture, s, decoder)) << "the decoder's file is in the system's folder";
}

TEST(Upscale, TheExpectedTimeOfVectorKernelsIsBelowThatOfPlainKernels) {
  const auto network = network_of("animevideo_x2");
  const media::PictureInfo picture{.width = 600, .height = 400, .colours = 3, .alpha = false, .bits = 8};
  const auto expected_time = [&](std::string_view name, int lanes) {
    compute::Kernels kernels = compute::plain_kernels();
    kernels.name = name;
    kernels.lanes = lanes;
    const auto upscaler = PictureUpscaler::create(network, exact(), &kernels);
    if (!upscaler) return std::chrono::duration<double>{};
    media::WriteOptions output;
    output.row_format = rows_info(*network, picture, exact());
    const auto plan = (*upscaler)->plan(picture, {}, output);
    return plan ? plan->expected_time : std::chrono::duration<double>{};
  };
  const auto plain = expected_time("plain", compute::plain_kernels().lanes);
  const auto neon = expected_time("neon", 4);
  const auto avx2 = expected_time("avx2", 8);
  EXPECT_GT(avx2.count(), 0);
  EXPECT_GT(neon, avx2);
  EXPECT_GT(plain, neon);
}

/// Returns a network that no picture fits: its first convolution makes the picture smaller than the one that is added
/// to the result.
std::shared_ptr<const nn::Network> network_that_fits_no_picture() {
  nn::Network network = *network_of("animevideo_x2", 8);
  for (nn::Layer& layer : network.graph.layers) {
    auto* convolution = std::get_if<nn::Convolution>(&layer.operation);
    if (convolution == nullptr) continue;
    convolution->pad = 0;
    break;
  }
  return std::make_shared<const nn::Network>(std::move(network));
}

TEST(Upscale, MoreMemoryIsOnlyAdvisedWhereItHelps) {
  const media::PictureInfo picture{.width = 60, .height = 40, .colours = 3, .alpha = false, .bits = 8};
  const auto refused = plan_only(network_that_fits_no_picture(), picture, exact());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_NE(refused.error().what.find("60x40 with animevideo_x2: line"), std::string::npos) << refused.error().what;
  EXPECT_EQ(refused.error().what.find("raise"), std::string::npos) << refused.error().what;
}

TEST(Upscale, GreyInGivesGreyOut) {
  const auto network = network_of("animevideo_x2");
  const TestPicture picture = draw_test_picture(40, 30, 1);
  const auto result = run_upscaler(network, picture, exact());
  ASSERT_TRUE(result);
  EXPECT_EQ(result->picture.info.colours, 1);
  const TestPicture rgb = reference_of(*network, picture);
  for (int y = 0; y < rgb.info.height; ++y) {
    for (int x = 0; x < rgb.info.width; ++x) {
      const double luma = 0.299 * rgb.at(y, x, 0) + 0.587 * rgb.at(y, x, 1) + 0.114 * rgb.at(y, x, 2);
      ASSERT_NEAR(result->picture.at(y, x, 0), luma, 2.0);
    }
  }
}

TEST(Upscale, SixteenBitsGoInAndOut) {
  const auto network = network_of("animevideo_x2");
  const TestPicture picture_16_bits = draw_test_picture(40, 30, 3, false, 16);
  const auto result = run_upscaler(network, picture_16_bits, exact());
  ASSERT_TRUE(result);
  const TestPicture picture_8_bits = draw_test_picture(40, 30);
  const TestPicture expected = reference_of(*network, picture_8_bits);
  bool has_finer_values = false;  // a value that 8 bits cannot express: those are multiples of 257
  for (int y = 0; y < expected.info.height; ++y) {
    for (int x = 0; x < expected.info.width; ++x) {
      ASSERT_NEAR(result->picture.at(y, x, 1) / 257.0, expected.at(y, x, 1), 1.0);
      has_finer_values = has_finer_values || result->picture.at(y, x, 1) % 257 != 0;
    }
  }
  EXPECT_TRUE(has_finer_values);
}

TEST(Upscale, AlphaIsEnlargedByTheSameCubicAtItsEdgesToo) {
  const auto network = network_of("animevideo_x2");
  TestPicture picture = draw_test_picture(20, 16, 3, true);
  const auto result = run_upscaler(network, picture, exact());
  ASSERT_TRUE(result);
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 40; ++x) {
      double sum = 0;
      // The position of the result's pixel in the source, and the weights of the 4 x 4 pixels around it.
      const double cy = (y + 0.5) / 2 - 0.5;
      const double cx = (x + 0.5) / 2 - 0.5;
      const auto wy = nn::cubic_weights(cy - std::floor(cy));
      const auto wx = nn::cubic_weights(cx - std::floor(cx));
      for (int j = 0; j < 4; ++j) {
        for (int i = 0; i < 4; ++i) {
          const int sy = std::clamp(static_cast<int>(std::floor(cy)) - 1 + j, 0, 15);
          const int sx = std::clamp(static_cast<int>(std::floor(cx)) - 1 + i, 0, 19);
          sum += static_cast<double>(wy[static_cast<std::size_t>(j)] * wx[static_cast<std::size_t>(i)]) *
                 picture.at(sy, sx, 3);
        }
      }
      ASSERT_NEAR(result->picture.at(y, x, 3), std::floor(std::clamp(sum, 0.0, 255.0)), 1.0) << y << " " << x;
    }
  }
}

TEST(Upscale, InvisibleColoursDoNotBleed) {
  const auto network = network_of("animevideo_x2");
  TestPicture red = blank(48, 40, 3, true);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 48; ++x) {
      const bool is_visible = x >= 14 && x < 30 && y >= 10;
      red.set(y, x, 0, is_visible ? 200 : 0);
      red.set(y, x, 1, is_visible ? 40 : 255);  // a bright colour where the picture is transparent
      red.set(y, x, 2, is_visible ? 40 : 255);
      red.set(y, x, 3, is_visible ? 255 : 0);
    }
  }
  TestPicture plain = red;
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 48; ++x) {
      plain.set(y, x, 0, 200);
      plain.set(y, x, 1, 40);
      plain.set(y, x, 2, 40);
    }
  }
  const auto result = run_upscaler(network, red, exact());
  const auto expected = run_upscaler(network, plain, exact());
  ASSERT_TRUE(result);
  ASSERT_TRUE(expected);
  EXPECT_EQ(largest_sample_difference(result->picture, expected->picture, 4), 0);
}

TEST(Upscale, RunningTwiceAppliesTheNetworkToItsOwnResult) {
  const auto network = network_of("realcugan2x_se");
  const TestPicture picture = draw_test_picture(26, 30);
  UpscaleSettings s = exact();
  s.scale = 4;
  const auto twice = run_upscaler(network, picture, s);
  ASSERT_TRUE(twice) << twice.error().what;
  EXPECT_EQ(twice->plan.network_runs, 2);
  const TestPicture once = reference_of(*network, picture);
  const TestPicture expected = reference_of(*network, once);
  EXPECT_LE(largest_sample_difference(twice->picture, expected), 4)
      << "between the runs 16 bits are kept, the reference keeps 8";
}

TEST(Upscale, TtaOfANetworkThatCannotBeOrientedIsRefused) {
  const auto even = network_of("padded");
  UpscaleSettings s = exact();
  s.tta = true;
  EXPECT_TRUE(PictureUpscaler::create(even, s));
  nn::Network uneven = *even;
  for (nn::Layer& layer : uneven.graph.layers) {
    auto* padding = std::get_if<nn::Padding>(&layer.operation);
    if (padding == nullptr) continue;
    padding->top += 1;
    padding->bottom -= 1;
  }
  const auto refused = PictureUpscaler::create(std::make_shared<const nn::Network>(uneven), s);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_NE(refused.error().what.find("Padding"), std::string::npos) << refused.error().what;
  s.tta = false;
  EXPECT_TRUE(PictureUpscaler::create(std::make_shared<const nn::Network>(uneven), s));
}

TEST(Upscale, TtaIsTheMeanOfEightOrientations) {
  const auto network = network_of("realcugan2x_se");
  const int n = 24;  // side of the picture
  const TestPicture picture = draw_test_picture(n, n);
  UpscaleSettings s = exact();
  s.tta = true;
  const auto result = run_upscaler(network, picture, s);
  ASSERT_TRUE(result) << result.error().what;
  std::vector<double> sum(static_cast<std::size_t>(2 * n * 2 * n), 0.0);
  for (int orientation = 0; orientation < 8; ++orientation) {
    // Returns the position in a picture of side `size` of pixel (y, x) of the oriented picture.
    const auto source_position = [&](int size, int y, int x) {
      if ((orientation & 1) != 0) std::swap(y, x);
      if ((orientation & 2) != 0) y = size - 1 - y;
      if ((orientation & 4) != 0) x = size - 1 - x;
      return std::pair{y, x};
    };
    TestPicture turned = blank(n, n);
    for (int y = 0; y < n; ++y) {
      for (int x = 0; x < n; ++x) {
        const auto [sy, sx] = source_position(n, y, x);
        for (int c = 0; c < 3; ++c) turned.set(y, x, c, picture.at(sy, sx, c));
      }
    }
    const TestPicture big = reference_of(*network, turned);
    for (int y = 0; y < 2 * n; ++y) {
      for (int x = 0; x < 2 * n; ++x) {
        const auto [sy, sx] = source_position(2 * n, y, x);
        sum[static_cast<std::size_t>(sy * 2 * n + sx)] += big.at(y, x, 0) / 8.0;
      }
    }
  }
  for (int y = 0; y < 2 * n; ++y) {
    for (int x = 0; x < 2 * n; ++x)
      ASSERT_NEAR(result->picture.at(y, x, 0), sum[static_cast<std::size_t>(y * 2 * n + x)], 1.2);
  }
}

/// Returns a network of 3 -> 32 -> 3 channels at 1x, in ncnn's format. It copies the picture, but for one 3x3 pattern
/// in the first colour, channel 31 of the first layer has a value that float16 cannot hold; the second layer multiplies
/// it by a small weight.
std::shared_ptr<const nn::Network> network_with_float16_overflow() {
  std::vector<float> first(32 * 27, 0.0F);
  std::vector<float> first_bias(32, 0.0F);
  for (int c = 0; c < 3; ++c) first[static_cast<std::size_t>(c * 27 + c * 9 + 4)] = 1;
  const int pattern[9] = {1, -1, -1, -1, 1, 1, 1, 1, -1};
  for (int t = 0; t < 9; ++t) first[static_cast<std::size_t>(31 * 27 + t)] = 2e5F * static_cast<float>(pattern[t]);
  first_bias[31] = -2e5F * 4.6F;  // the pattern itself has the sum 5
  std::vector<float> second(3 * 32 * 9, 0.0F);
  for (int c = 0; c < 3; ++c) second[static_cast<std::size_t>((c * 32 + c) * 9 + 4)] = 1;
  second[static_cast<std::size_t>(31 * 9 + 4)] = 1e-7F;
  std::vector<std::byte> bin;
  const auto append = [&](const auto* data, std::size_t bytes) {
    const auto* from = reinterpret_cast<const std::byte*>(data);
    bin.insert(bin.end(), from, from + bytes);
  };
  const std::uint32_t float32_tag = 0;  // stands before the weights of each layer
  append(&float32_tag, 4);
  append(first.data(), first.size() * 4);
  append(first_bias.data(), first_bias.size() * 4);
  append(&float32_tag, 4);
  append(second.data(), second.size() * 4);
  const float second_bias[3] = {0, 0, 0};
  append(second_bias, sizeof second_bias);
  const std::string param =
      "7767517\n3 3\nInput in 0 1 data\nConvolution a 1 1 data x 0=32 1=3 4=1 5=1 6=864 9=1\n"
      "Convolution b 1 1 x output 0=3 1=3 4=1 5=1 6=864\n";
  auto network = nn::parse_network(param, bin, "cliff");
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

TEST(Upscale, TheRowsBeingConvertedAreWithinThePlan) {
  for (const auto& network : {network_with_float16_overflow(), network_of("animevideo_x2"), network_of("general_x4")}) {
    const auto result = run_upscaler(network, draw_test_picture(64, 80), exact());
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_LE(result->largest_write, part_named("rows being converted", result->plan).ram) << network->name;
  }
}

TEST(Upscale, ABandWithoutNumbersIsRepeatedInFloat32) {
  const auto network = network_with_float16_overflow();
  TestPicture picture = blank(64, 80);
  for (int y = 0; y < 80; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (int c = 0; c < 3; ++c) picture.set(y, x, c, (x + y) % 100 + 60);
    }
  }
  const int pattern[9] = {1, 0, 0, 0, 1, 1, 1, 1, 0};
  for (int t = 0; t < 9; ++t) picture.set(50 + t / 3, 30 + t % 3, 0, 255 * pattern[t]);
  UpscaleSettings s = exact();
  s.precision = Precision::automatic;
  const auto result = run_upscaler(network, picture, s);
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_EQ(result->plan.precision, "int16");
  ASSERT_EQ(result->events.size(), 1U);
  EXPECT_NE(result->events[0].find("repeated in float32"), std::string::npos) << result->events[0];
  EXPECT_LE(largest_sample_difference(result->picture, picture), 1) << "the network passes the picture on";
}

TEST(Upscale, KeptMemoryChangesNoPixelAndIsFreedByAnotherPlan) {
  const auto network = network_of("realcugan2x_se");  // it has means, and keeps tensors between passes
  UpscaleSettings s = exact();
  s.scale = 4;  // two runs of the network for each picture
  const auto upscaler = PictureUpscaler::create(network, s);
  ASSERT_TRUE(upscaler);
  const auto plan_of = [&](const TestPicture& picture) {
    media::WriteOptions output;
    output.row_format = rows_info(*network, picture.info, s);
    return *(*upscaler)->plan(picture.info, {}, output);
  };
  const auto run = [&](const UpscalePlan& plan, const TestPicture& picture, bool keep_memory) {
    test::MemoryReader reader{picture.info, picture.samples};
    test::MemoryWriter writer;
    EXPECT_TRUE((*upscaler)->run({plan, reader, writer, {}, {}, keep_memory}));
    return writer.samples();
  };
  const TestPicture first = draw_test_picture(26, 30, 3, false, 16);
  TestPicture second = first;
  std::reverse(second.samples.begin(), second.samples.end());
  const TestPicture smaller = draw_test_picture(20, 22, 3, false, 16);
  const auto smaller_plan = plan_of(smaller);
  const auto plan = plan_of(first);
  const auto expected_first = run(plan, first, false);
  const auto expected_second = run(plan, second, false);
  const auto expected_smaller = run(smaller_plan, smaller, false);
  EXPECT_EQ((*upscaler)->kept_memory(), Bytes{});
  for (int frame = 0; frame < 2; ++frame) {
    EXPECT_EQ(run(plan, first, true), expected_first);
    EXPECT_EQ(run(plan, second, true), expected_second);
  }
  const Bytes kept = (*upscaler)->kept_memory();
  EXPECT_GT(kept, Bytes{});
  EXPECT_LE(kept, plan.ram);
  EXPECT_EQ(run(smaller_plan, smaller, true), expected_smaller);
  EXPECT_LT((*upscaler)->kept_memory(), kept);
  EXPECT_EQ(run(plan, first, true), expected_first);
  plan_of(smaller);
  EXPECT_EQ((*upscaler)->kept_memory(), Bytes{});
}

/// Returns a network that makes every picture one colour, at 1x.
std::shared_ptr<const nn::Network> network_of_one_colour(float value) {
  // A tag of four zero bytes (float32), 81 weights of 0, and three biases.
  constexpr std::size_t kBiasOffset = 4 + 81 * 4;
  std::vector<std::byte> bin(kBiasOffset + 3 * 4, std::byte{0});
  for (std::size_t c = 0; c < 3; ++c) std::memcpy(bin.data() + kBiasOffset + c * 4, &value, 4);
  auto network = nn::parse_network(
      "7767517\n2 2\nInput in 0 1 data\nConvolution a 1 1 data output 0=3 1=3 4=1 5=1 6=81\n", bin, "flat");
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return std::make_shared<const nn::Network>(*std::move(network));
}

TEST(Upscale, APictureOfOneColourWhereTheInputHasManyFails) {
  for (const float value : {0.0F, 0.5F}) {
    const auto result = run_upscaler(network_of_one_colour(value), draw_test_picture(40, 50), exact());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::bad_values);
  }
  const auto flat = run_upscaler(network_of_one_colour(0.0F), blank(40, 50), exact());
  EXPECT_TRUE(flat) << "a picture of one colour may stay one";
}

TEST(Upscale, ARefusalHasTheNumbers) {
  UpscaleSettings s = exact();
  s.ram = 1_MiB;
  const auto result = run_upscaler(network_of("realcugan2x_se"), draw_test_picture(60, 60), s);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::over_budget);
  EXPECT_NE(result.error().what.find("60x60"), std::string::npos) << result.error().what;
  EXPECT_NE(result.error().what.find("1 MiB"), std::string::npos) << result.error().what;
}

// Comparisons with the results of established programs for the same pictures.

const std::filesystem::path kShared = std::filesystem::path{places::source()} / ".." / "shared";

/// Reads a picture file; nothing on failure.
std::optional<TestPicture> read(const std::filesystem::path& path) {
  auto reader = media::PictureReader::open({.path = path, .bytes = nullptr});
  if (!reader) return std::nullopt;
  TestPicture p;
  p.info = (*reader)->info();
  p.samples.resize(p.info.row_bytes() * static_cast<std::size_t>(p.info.height));
  if (!(*reader)->read(p.samples)) return std::nullopt;
  return p;
}

/// A stored result of another program: the names of the result, of its input picture and of its network, in the folders
/// reference, samples and models of kShared.
struct Golden {
  const char* reference;
  const char* sample;
  const char* network;
  bool tta = false;
};

class Goldens : public testing::TestWithParam<Golden> {
 protected:
  void check(Precision precision, double min_psnr_db, int max_difference) {
    const Golden& golden = GetParam();
    if (!std::filesystem::exists(kShared / "reference")) GTEST_SKIP() << "no ../shared with reference pictures";
    auto network = nn::load_network(kShared / "models" / (std::string{golden.network} + ".param"));
    ASSERT_TRUE(network) << network.error().what;
    const auto picture = read(kShared / "samples" / golden.sample);
    const auto reference = read(kShared / "reference" / golden.reference);
    ASSERT_TRUE(picture && reference);
    UpscaleSettings s = exact();
    s.precision = precision;
    s.tta = golden.tta;
    const auto result = run_upscaler(std::make_shared<const nn::Network>(*std::move(network)), *picture, s);
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_LE(largest_sample_difference(result->picture, *reference), max_difference);
    double squares = 0;
    for (std::size_t i = 0; i < reference->samples.size(); ++i) {
      const double d =
          static_cast<double>(static_cast<int>(result->picture.samples[i]) - static_cast<int>(reference->samples[i]));
      squares += d * d;
    }
    const double psnr =
        squares == 0 ? 99 : 10 * std::log10(65025.0 * static_cast<double>(reference->samples.size()) / squares);
    EXPECT_GE(psnr, min_psnr_db);
  }
};

TEST_P(Goldens, ExactIsWithinOneGreyLevel) { check(Precision::exact, 60, 1); }
TEST_P(Goldens, AutoStaysNear) { check(Precision::automatic, 55, 8); }

INSTANTIATE_TEST_SUITE_P(
    Shared, Goldens,
    testing::Values(
        Golden{"crop256_cugan2x_nose_n0.png", "crop256.png", "realcugan/models-nose/up2x-no-denoise"},
        Golden{"crop256_cugan2x_pro_conservative.png", "crop256.png", "realcugan/models-pro/up2x-conservative"},
        Golden{"crop256_cugan2x_se_conservative.png", "crop256.png", "realcugan/models-se/up2x-conservative"},
        Golden{"crop256_cugan2x_se_conservative_tta.png", "crop256.png", "realcugan/models-se/up2x-conservative", true},
        Golden{"crop256_cugan3x_pro_conservative.png", "crop256.png", "realcugan/models-pro/up3x-conservative"},
        Golden{"crop256_cugan3x_se_conservative.png", "crop256.png", "realcugan/models-se/up3x-conservative"},
        Golden{"crop256_cugan4x_se_conservative.png", "crop256.png", "realcugan/models-se/up4x-conservative"},
        Golden{"crop256_esr_x2.png", "crop256.png", "realesrgan/realesr-animevideov3-x2"},
        Golden{"crop256_esr_x3.png", "crop256.png", "realesrgan/realesr-animevideov3-x3"},
        Golden{"crop256_esr_x4.png", "crop256.png", "realesrgan/realesr-animevideov3-x4"},
        Golden{"odd301x213_cugan2x_se_conservative.png", "odd301x213.png", "realcugan/models-se/up2x-conservative"},
        Golden{"odd301x213_cugan3x_se_conservative.png", "odd301x213.png", "realcugan/models-se/up3x-conservative"}),
    [](const auto& golden) {
      std::string name = golden.param.reference;
      return name.substr(0, name.find('.'));
    });

TEST(RgbaGolden, ColourAgreesWhereNoHiddenPixelIsInReach) {
  if (!std::filesystem::exists(kShared / "reference")) GTEST_SKIP() << "no ../shared with reference pictures";
  auto network = nn::load_network(kShared / "models/realcugan/models-se/up2x-conservative.param");
  ASSERT_TRUE(network);
  const auto picture = read(kShared / "samples/crop256_rgba.png");
  const auto reference = read(kShared / "reference/crop256rgba_cugan2x_se_conservative.png");
  ASSERT_TRUE(picture && reference);
  const auto result = run_upscaler(std::make_shared<const nn::Network>(*std::move(network)), *picture, exact());
  ASSERT_TRUE(result);
  // The network's means over the whole picture include hidden pixels, so colours may differ by a few levels everywhere.
  // Alpha may not differ.
  constexpr int kReach = 36;  // in pixels of the source; colours nearer to a hidden pixel than this are not compared
  int compared = 0;
  int largest = 0;
  for (int y = 0; y < reference->info.height; ++y) {
    for (int x = 0; x < reference->info.width; ++x) {
      ASSERT_NEAR(result->picture.at(y, x, 3), reference->at(y, x, 3), 1) << y << " " << x;
      bool is_near_hidden = false;
      for (int sy = std::max(0, y / 2 - kReach); !is_near_hidden && sy < std::min(256, y / 2 + kReach); sy += 1) {
        for (int sx = std::max(0, x / 2 - kReach); !is_near_hidden && sx < std::min(256, x / 2 + kReach); sx += 1) {
          is_near_hidden = picture->at(sy, sx, 3) == 0;
        }
      }
      if (is_near_hidden) continue;
      ++compared;
      for (int c = 0; c < 3; ++c)
        largest = std::max(largest, std::abs(result->picture.at(y, x, c) - reference->at(y, x, c)));
    }
  }
  if (compared == 0) GTEST_SKIP() << "the sample has hidden pixels everywhere";
  EXPECT_LE(largest, 8);
}

}  // namespace
}  // namespace weir::enhance
