#include "observe/progress.hpp"

#include <gtest/gtest.h>

namespace weir::observe {
namespace {

TEST(FormatProgress, ContainsPercentSpeedAndTimeLeft) {
  const ItemProgress half{
      .name = "page.png", .number = 2, .count = 10, .fraction = 0.5, .megapixels = 20, .elapsed = Seconds{4}};
  EXPECT_EQ(format_progress(half, 80), "[2/10] page.png   50 %  5.00 MP/s  0:04 left");
}

TEST(FormatProgress, ASinglePictureHasNoNumber) { EXPECT_EQ(format_progress({.name = "a.png"}, 80), "a.png    0 %"); }

TEST(FormatProgress, PercentIsRoundedDownAndBetween0And100) {
  EXPECT_NE(format_progress({.name = "a", .fraction = 0.9999}, 80).find(" 99 %"), std::string::npos);
  EXPECT_NE(format_progress({.name = "a", .fraction = 7}, 80).find("100 %"), std::string::npos);
  EXPECT_NE(format_progress({.name = "a", .fraction = -1}, 80).find("  0 %"), std::string::npos);
}

TEST(FormatProgress, AnyNameIsShortenedToTheColumns) {
  const std::string name = std::string(100, 'a') + "漫画" + std::string(100, 'b') + ".png";
  for (const int columns : {0, 1, 10, 40, 60, 79, 200}) {
    const std::string line =
        format_progress({.name = name, .fraction = 0.5, .megapixels = 1, .elapsed = Seconds{1}}, columns);
    EXPECT_LE(line.size(), static_cast<std::size_t>(columns));
  }
}

TEST(FormatDuration, GrowsWithTheTime) {
  EXPECT_EQ(format_duration(Seconds{0.421}), "0.42 s");
  EXPECT_EQ(format_duration(Seconds{12.34}), "12.3 s");
  EXPECT_EQ(format_duration(Seconds{247}), "4:07 min");
  EXPECT_EQ(format_duration(Seconds{7447}), "2:04:07 h");
}

}  // namespace
}  // namespace weir::observe
