// Compares the inputs of ../shared/cases/pictures with the expected pictures in the same folder.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"
#include "places.hpp"

namespace weir::media {
namespace {

namespace fs = std::filesystem;

struct PictureCase {
  std::string input, expected;
  bool grey = false;     ///< compare with the luma of the expected picture (ITU-R BT.601, as Pillow's "L")
  bool profile = false;  ///< the result must have an ICC profile
};
void PrintTo(const PictureCase& picture_case, std::ostream* out) { *out << picture_case.input; }

class PictureCases : public ::testing::TestWithParam<PictureCase> {};

double sample(const test::LoadedPicture& loaded, std::size_t index) {
  if (loaded.info.bits == 8) return std::to_integer<int>(loaded.rows[index]);
  const int low = std::to_integer<int>(loaded.rows[index * 2]), high = std::to_integer<int>(loaded.rows[index * 2 + 1]);
  return (low | high << 8) / 257.0;
}

TEST_P(PictureCases, AreAsExpected) {
  const fs::path folder = fs::path{places::source()} / "../shared/cases/pictures";
  const auto& picture_case = GetParam();
  if (!fs::exists(folder / picture_case.input)) GTEST_SKIP() << "there is no ../shared/cases/pictures";
  const auto loaded = test::load(folder / picture_case.input), expected = test::load(folder / picture_case.expected);
  ASSERT_TRUE(loaded) << loaded.error().what;
  ASSERT_TRUE(expected) << expected.error().what;
  ASSERT_EQ(loaded->info.width, expected->info.width);
  ASSERT_EQ(loaded->info.height, expected->info.height);
  ASSERT_EQ(loaded->info.channels(), picture_case.grey ? 1 : 3);
  EXPECT_EQ(!loaded->metadata->icc.empty(), picture_case.profile);
  double worst = 0;
  const auto pixels = static_cast<std::size_t>(expected->info.width) * static_cast<std::size_t>(expected->info.height);
  for (std::size_t i = 0; i < pixels; ++i) {
    const double r = sample(*expected, i * 3), g = sample(*expected, i * 3 + 1), b = sample(*expected, i * 3 + 2);
    if (picture_case.grey)
      worst = std::max(worst, std::abs(sample(*loaded, i) - (r * 0.299 + g * 0.587 + b * 0.114)));
    else
      for (std::size_t k = 0; k < 3; ++k)
        worst = std::max(worst, std::abs(sample(*loaded, i * 3 + k) - sample(*expected, i * 3 + k)));
  }
  EXPECT_LE(worst, 1.0);
}
INSTANTIATE_TEST_SUITE_P(Decoders, PictureCases,
                         ::testing::Values(PictureCase{"planar_tiles.tif", "plain.png"},
                                           PictureCase{"float_srgb_profile.tif", "plain.png", false, true},
                                           PictureCase{"grey_float.tif", "plain.png", true},
                                           PictureCase{"rle8.bmp", "rle8_expected.png"}));

}  // namespace
}  // namespace weir::media
