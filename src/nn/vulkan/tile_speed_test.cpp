#include "nn/vulkan/tile_speed.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

#include "folder.hpp"

namespace weir::nn::vulkan {
namespace {

namespace fs = std::filesystem;

class TileSpeeds : public testing::Test {
 protected:
  /// Replaces the contents of the file that belongs to `key`; the folder has no other file.
  void write(std::uint64_t key, const std::string& text) const {
    save_speeds(folder_, key, std::vector<TileSpeed>{{128, 1}});
    for (const auto& entry : fs::directory_iterator{folder_}) std::ofstream{entry.path()} << text;
  }
  weir::test::Folder made_;
  const fs::path& folder_ = made_.path();
};

TEST(MaxSubmissionMultiplications, AreATenthOfASecondOrTheSafeDefault) {
  EXPECT_EQ(max_submission_multiplications({}), 4e9);
  EXPECT_EQ(max_submission_multiplications(std::vector<TileSpeed>{{128, 1e9}, {256, 2e9}}), 4e9);
  EXPECT_EQ(max_submission_multiplications(std::vector<TileSpeed>{{128, 5e12}, {256, 2e13}, {512, 1e13}}), 2e12);
}

TEST_F(TileSpeeds, AreCached) {
  const std::vector<TileSpeed> speeds{{128, 1e9}, {512, 2.5e9}};
  save_speeds(folder_ / "new", 7, speeds);
  const auto again = load_speeds(folder_ / "new", 7);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[1].side, 512);
  EXPECT_EQ(again[1].multiplications_per_s, 2.5e9);
  EXPECT_TRUE(load_speeds(folder_ / "new", 8).empty());
}

TEST_F(TileSpeeds, ADamagedFileIsIgnored) {
  for (const char* text : {"128", "128 x\n", "128 -1\n", "256 1e9\n128 1e9\n", "1 1e9\n", "128 nan\n"}) {
    write(1, text);
    EXPECT_TRUE(load_speeds(folder_, 1).empty()) << text;
  }
}

TEST_F(TileSpeeds, WithoutAFolderNothingHappens) {
  save_speeds({}, 1, std::vector<TileSpeed>{{128, 1e9}});
  EXPECT_TRUE(load_speeds({}, 1).empty());
}

TEST(ExpectedSeconds, CountHalosAtTheSpeedOfTheSide) {
  DevicePlan small;
  small.input = {1000, 1000};
  small.tile = 128;
  small.multiplications = 4e9;
  DevicePlan large = small;
  large.tile = 1000;
  large.multiplications = 3e9;
  const std::vector<TileSpeed> speeds{{128, 2e9}, {512, 1e9}};
  EXPECT_DOUBLE_EQ(expected_seconds(small, speeds), 2);
  EXPECT_DOUBLE_EQ(expected_seconds(large, speeds), 3) << "fewer multiplications, but slower";
  EXPECT_DOUBLE_EQ(expected_seconds(large, {}), 0);
}

}  // namespace
}  // namespace weir::nn::vulkan
