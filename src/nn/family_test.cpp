#include <gtest/gtest.h>

#include "networks/generate_network.hpp"
#include "nn/network.hpp"

namespace weir::nn {
namespace {

/// Returns a generated network of a family.
Network parse(std::string_view family, const test::GenerateSettings& settings = {}) {
  const auto files = test::generate_network(family, settings);
  auto network = parse_network(files.param, files.bin, std::string{family});
  EXPECT_TRUE(network) << network.error().what;
  return network ? *std::move(network) : Network{};
}

struct Expected {
  std::string_view generated;
  std::string_view name;
  int scale, border, align, crop, mean_count;
  bool needs_enlarged_picture;
};

// The established programs use borders of 18, 14, 19 and 10 pixels, and extend pictures to multiples of 2, 4 and 2.
constexpr std::array kExpected{
    Expected{"realcugan2x_se", "realcugan", 2, 18, 2, 0, 4, false},
    Expected{"realcugan3x_se", "realcugan", 3, 14, 4, 0, 4, false},
    Expected{"realcugan4x_se", "realcugan", 4, 19, 2, 0, 4, true},
    Expected{"realcugan2x_nose", "realcugan", 2, 18, 2, 0, 0, false},
    Expected{"animevideo_x2", "animevideo", 2, 10, 1, 20, 0, false},
    Expected{"animevideo_x3", "animevideo", 3, 10, 1, 30, 0, false},
    Expected{"animevideo_x4", "animevideo", 4, 10, 1, 40, 0, false},
    Expected{"general_x4", "animevideo", 4, 10, 1, 40, 0, false},
    Expected{"rrdb_x4", "realesrgan", 4, 10, 1, 40, 0, false},
    Expected{"rrdb_pnnx_x4", "realesrgan", 4, 10, 1, 40, 0, false},
    Expected{"layers", "unknown", 2, 10, 1, 20, 0, false},
};

TEST(Family, FollowsFromTheGraphAlone) {
  for (const Expected& expected : kExpected) {
    const Family family = parse(expected.generated).family;
    SCOPED_TRACE(expected.generated);
    EXPECT_EQ(family.name, expected.name);
    EXPECT_EQ(family.scale, expected.scale);
    EXPECT_EQ(family.border, expected.border);
    EXPECT_EQ(family.align, expected.align);
    EXPECT_EQ(family.crop, expected.crop);
    EXPECT_EQ(family.mean_count, expected.mean_count);
    EXPECT_EQ(family.needs_enlarged_picture, expected.needs_enlarged_picture);
  }
}

TEST(Family, AnAlignedPictureWithItsBorderGivesExactlyTheEnlargedPicture) {
  for (const Expected& expected : kExpected) {
    const Network network = parse(expected.generated);
    const Family& family = network.family;
    for (int n = family.align; n < 40; n += family.align) {
      const auto extents = infer_extents(network.graph, {n + 2 * family.border, 2 * n + 2 * family.border});
      ASSERT_TRUE(extents) << expected.generated << " " << n << " " << extents.error().what;
      const Extent out = (*extents)[network.graph.output];
      EXPECT_EQ(out.height, n * family.scale + 2 * family.crop) << expected.generated;
      EXPECT_EQ(out.width, 2 * n * family.scale + 2 * family.crop) << expected.generated;
    }
  }
}

TEST(Family, MultiplicationsOfThePublishedSizes) {
  // The published table was measured on large pictures, borders included: 769 918, 1 603 729, 1 070 805.
  const test::GenerateSettings published{.channels = 64, .blocks = 16};
  EXPECT_NEAR(parse("realcugan2x_se", published).multiplications_per_pixel, 769918, 200);
  EXPECT_NEAR(parse("realcugan2x_nose", published).multiplications_per_pixel, 769918, 200);
  EXPECT_NEAR(parse("realcugan3x_se", published).multiplications_per_pixel, 1603729, 200);
  EXPECT_NEAR(parse("realcugan4x_se", published).multiplications_per_pixel, 1070805, 200);
  EXPECT_EQ(parse("animevideo_x2", published).multiplications_per_pixel, 619200);
  EXPECT_EQ(parse("general_x4", {.channels = 64, .blocks = 32}).multiplications_per_pixel, 1209024);
  EXPECT_EQ(parse("rrdb_x4", {.channels = 64, .blocks = 6}).multiplications_per_pixel, 5706432);
}

TEST(Family, AScaleThatIsNotWholeIsUnsupported) {
  auto files = test::generate_network("animevideo_x2");
  // The last layer, which resizes, becomes a bicubic resize by 0.625 of a picture that was enlarged 4 times.
  const std::size_t at = files.param.find("0=3 1=5");
  files.param.replace(at, files.param.size() - at, "0=3 1=6.250000e-01 2=6.250000e-01\n");
  const auto network = parse_network(files.param, files.bin, "n");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Errc::unsupported);
  EXPECT_NE(network.error().what.find("enlarged 2.5 times"), std::string::npos) << network.error().what;
}

TEST(Family, AResultThatIsNoPictureIsUnsupported) {
  const std::string param = "7767517\n2 2\nInput in 0 1 data\nConcat c 1 1 data out\n";
  EXPECT_TRUE(parse_network(param, {}, "n"));
  const std::string doubled = "7767517\n3 4\nInput in 0 1 data\nSplit s 1 2 data a b\nConcat c 2 1 a b out\n";
  const auto network = parse_network(doubled, {}, "n");
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().what.find("6 channels"), std::string::npos) << network.error().what;
}

TEST(Family, PicturesThatMeetAtDifferentScalesAreRefused) {
  const std::string param =
      "7767517\n4 5\nInput in 0 1 data\nSplit s 1 2 data a b\nInterp i 1 1 a c 0=1 1=2.0 2=2.0\nBinaryOp x 2 1 b c "
      "out\n";
  const auto network = parse_network(param, {}, "n");
  ASSERT_FALSE(network);
  EXPECT_NE(network.error().what.find("line 6: BinaryOp x: its inputs are enlarged 1 and 2 times"), std::string::npos)
      << network.error().what;
}

}  // namespace
}  // namespace weir::nn
