// Tests of the texts about damaged files.
#include "media/picture/damage.hpp"

#include <gtest/gtest.h>

#include <string>

#include "folder.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media::test {
namespace {

using weir::test::Folder;

TEST(DamagedReader, ReportsRowsAsDisplayed) {
  const Damage end{Damage::Kind::filled, 52, 20, "the file ends early"};
  EXPECT_EQ(to_text(end, 72, 1), "the last 20 of 72 rows are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 2), "the last 20 of 72 rows are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 3), "the first 20 of 72 rows are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 4), "the first 20 of 72 rows are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 5), "the last 20 of 72 columns are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 6), "the first 20 of 72 columns are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 7), "the first 20 of 72 columns are filled: the file ends early");
  EXPECT_EQ(to_text(end, 72, 8), "the last 20 of 72 columns are filled: the file ends early");
  EXPECT_EQ(to_text({Damage::Kind::doubtful, 9, 4, "x"}, 72, 1), "rows 10 to 13 of 72 may be wrong: x");
  EXPECT_EQ(to_text({Damage::Kind::low_detail, 9, 1, "x"}, 72, 1), "row 10 of 72 lacks detail or colour: x");
  EXPECT_EQ(to_text({Damage::Kind::filled, 71, 1, "x"}, 72, 1), "the last of 72 rows is filled: x");
  EXPECT_EQ(to_text({Damage::Kind::doubtful, 0, 72, "x"}, 72, 1), "all 72 rows may be wrong: x");
  EXPECT_EQ(
      extract_reason("a.png: PNG row 3 of 4: the file ends too early; the file is damaged, get it again", "a.png"),
      "the file ends too early");
}

/// Reads all orientations through the reader's thread, and calls damage() before all rows were read.
TEST(DamagedReader, ReadsTheRestOfARotatedPicture) {
  Folder folder;
  const auto picture = make_picture_info(61, 47, 3, false, 8);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    auto options = options_for(Format::png, picture, make_metadata(false, orientation));
    options.overwrite = true;
    ASSERT_TRUE(save(folder / "a.png", options, draw_rows(picture)));
    auto bytes = read_test_file(folder / "a.png");
    bytes.resize(bytes.size() * 3 / 4);
    write_test_file(folder / "a.png", bytes);
    const ReadOptions use{.spill_folder = folder.path(), .read_ahead = Bytes{1}, .damaged = DamagePolicy::use};
    auto reader = PictureReader::open({.path = folder / "a.png", .bytes = nullptr}, use);
    ASSERT_TRUE(reader) << reader.error().what;
    Samples first(picture.row_bytes() * 47);
    Samples second(first.size());
    ASSERT_TRUE((*reader)->read(first));
    const auto damage = (*reader)->damage();
    ASSERT_EQ(damage.size(), 1u);
    EXPECT_NE(damage[0].find("filled"), std::string::npos) << damage[0];
    ASSERT_TRUE((*reader)->rewind());
    ASSERT_TRUE((*reader)->read(second));
    EXPECT_EQ(first, second);
    EXPECT_EQ((*reader)->damage(), damage);
  }
}

}  // namespace
}  // namespace weir::media::test
