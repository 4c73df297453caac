#include "nn/reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "networks/expected.hpp"
#include "networks/generate_network.hpp"

namespace weir::nn {
namespace {

using compute::Planes;

Network parse_family(std::string_view family, const test::GenerateSettings& settings = {.channels = 4, .blocks = 1}) {
  const auto files = test::generate_network(family, settings);
  auto network = parse_network(files.param, files.bin, std::string{family});
  EXPECT_TRUE(network) << network.error().what;
  return network ? *std::move(network) : Network{};
}

Planes picture(int height, int width) {
  Planes planes{3, height, width};
  planes.values = test::generated_picture(height, width);
  return planes;
}

/// Compares the reference implementation with results that ncnn computed (networks/expected.hpp).
class StoredResult : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Generated, StoredResult, testing::ValuesIn(test::kGeneratedFamilies),
                         [](const auto& family) { return std::string{family.param}; });

TEST_P(StoredResult, IsReached) {
  const auto expected = test::read_expected(GetParam());
  ASSERT_EQ(expected.values.size(), static_cast<std::size_t>(3) * expected.height * expected.width);
  const Network network = parse_family(GetParam(), test::expected_settings(GetParam()));
  const auto result = run_reference(network.graph, picture(expected.input_height, expected.input_width));
  ASSERT_TRUE(result) << result.error().what;
  ASSERT_EQ(result->height, expected.height);
  ASSERT_EQ(result->width, expected.width);
  for (std::size_t i = 0; i < expected.values.size(); ++i)
    ASSERT_NEAR(result->values[i], expected.values[i], 1e-5) << i;
}

TEST_P(StoredResult, AnySizeOfPictureIsEnlarged) {
  const Network network = parse_family(GetParam());
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 7}, {5, 2}, {3, 11}}) {
    const auto result = upscale_reference(network, picture(height, width));
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_EQ(result->height, height * network.family.scale);
    EXPECT_EQ(result->width, width * network.family.scale);
  }
}

TEST(Reference, TheBorderIsMirroredWithoutRepeatingTheEdge) {
  EXPECT_EQ(reflect_position(-1, 5), 1);
  EXPECT_EQ(reflect_position(-4, 5), 4);
  EXPECT_EQ(reflect_position(-5, 5), 3);
  EXPECT_EQ(reflect_position(4, 5), 4);
  EXPECT_EQ(reflect_position(5, 5), 3);
  EXPECT_EQ(reflect_position(8, 5), 0);
  EXPECT_EQ(reflect_position(9, 5), 1);
  EXPECT_EQ(reflect_position(-18, 2), 0);
  EXPECT_EQ(reflect_position(1000, 1), 0);
}

/// Returns the picture with other green values in its last column.
Planes with_last_column_changed(Planes planes) {
  const int last = planes.width - 1;
  for (int y = 0; y < planes.height; ++y) planes.at(1, y, last) = 1 - planes.at(1, y, last);
  return planes;
}

TEST(Reference, WithoutMeansFarPixelsDoNotMatter) {
  const Network network = parse_family("realcugan2x_nose");
  const Planes original = picture(40, 40);
  const Planes changed = with_last_column_changed(original);
  const auto before = upscale_reference(network, original), after = upscale_reference(network, changed);
  ASSERT_TRUE(before && after);
  // Column 39 has changed; a result pixel depends on at most 20 columns on each side.
  for (int x = 0; x < 2 * (39 - 20); ++x) EXPECT_EQ(before->at(0, 10, x), after->at(0, 10, x)) << x;
  EXPECT_NE(before->at(0, 10, 78), after->at(0, 10, 78));
}

TEST(Reference, MeansAreThoseOfTheWholePicture) {
  const Network network = parse_family("realcugan2x_se");
  const Planes original = picture(40, 40);
  const Planes changed = with_last_column_changed(original);
  const auto before = upscale_reference(network, original), after = upscale_reference(network, changed);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->at(0, 10, 0), after->at(0, 10, 0)) << "the means have changed, so the far column has too";
}

TEST(Reference, TheEnlargedPictureIsAddedIfTheFamilyNeedsIt) {
  const Network network = parse_family("realcugan4x_se");
  Network bare = network;
  bare.family.needs_enlarged_picture = false;
  const Planes in = picture(6, 5);
  const auto with = upscale_reference(network, in), without = upscale_reference(bare, in);
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->at(2, 13, 19), without->at(2, 13, 19) + in.at(2, 13 / 4, 19 / 4));
}

TEST(Reference, RoundsToTheNearestAndStaysWithinBytes) {
  Planes planes{3, 1, 2};
  planes.values = {-0.5F, 0.4F / 255, 0.6F / 255, 1.0F, 1e9F, 254.5F / 255};
  const auto rgb = to_rgb(planes);
  ASSERT_TRUE(rgb);
  EXPECT_EQ(rgb->values, (std::vector<std::uint8_t>{0, 1, 255, 0, 255, 255}));
  planes.values[3] = NAN;
  EXPECT_FALSE(to_rgb(planes));
  const RgbPicture all{1, 2, {0, 1, 2, 128, 254, 255}};
  EXPECT_EQ(to_rgb(to_planes(all))->values, all.values);
}

TEST(Reference, AGraphWithoutWeightsOrAPictureOfOtherChannelsIsRefused) {
  Network network = parse_family("animevideo_x2");
  std::get<Convolution>(network.graph.layers[2].operation).weight.clear();
  const auto result = run_reference(network.graph, picture(4, 4));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("line 5: Convolution layer_2 has no weights"), std::string::npos)
      << result.error().what;
  EXPECT_FALSE(run_reference(parse_family("animevideo_x2").graph, Planes{1, 4, 4}));
}

}  // namespace
}  // namespace weir::nn
