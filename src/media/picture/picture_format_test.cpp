// Tests of the table of formats: names, recognition of files, and the lists in messages.
#include "media/picture/picture_format.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "folder.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media::test {
namespace {

constexpr Format kAll[] = {Format::png, Format::jpg,  Format::webp, Format::avif, Format::heif,
                           Format::jxl, Format::tiff, Format::bmp,  Format::gif};

TEST(PictureFormat, EachHasAnEntryAndUniqueNames) {
  std::set<std::string_view> names, titles;
  for (const Format format : kAll) {
    const auto& row = find_format(format);
    EXPECT_EQ(row.format, format);
    EXPECT_EQ(name_of(format), row.names.front());
    EXPECT_TRUE(titles.insert(row.title).second) << row.title;
    for (const auto name : row.names) {
      if (name.empty()) continue;
      EXPECT_TRUE(names.insert(name).second) << name;
      EXPECT_EQ(format_of_extension(name), format) << name;
      EXPECT_EQ(format_of_extension("." + std::string{name}), format) << name;
    }
  }
  EXPECT_EQ(format_of_extension("JPEG"), Format::jpg);
  for (const auto* none : {"", ".", "txt"}) EXPECT_FALSE(format_of_extension(none)) << none;
}

TEST(PictureFormat, WrittenFilesAreRecognized) {
  const weir::test::Folder folder;
  for (const Format format : kAll) {
    if (!can_write(format)) continue;
    const auto path = folder / name_of(format);
    const auto picture = make_picture_info(24, 16, 3, false, 8);
    ASSERT_TRUE(save(path, options_for(format, picture), draw_rows(picture))) << name_of(format);
    const auto* found = sniff_format(read_test_file(path));
    ASSERT_NE(found, nullptr) << name_of(format);
    EXPECT_EQ(found->format, format);
  }
  const auto known = [](const Samples& bytes) {
    const auto* found = sniff_format(bytes);
    return found == nullptr ? std::nullopt : std::optional{found->format};
  };
  EXPECT_EQ(known(bitmap(4, 4, 24, false)), Format::bmp);
  EXPECT_EQ(known(animated_gif(4, 4)), Format::gif);
  const std::string heif{
      "\0\0\0\x18"
      "ftypmif1\0\0\0\0mif1heic",
      24},
      avif{
          "\0\0\0\x1c"
          "ftypmif1\0\0\0\0mif1miafavif",
          28};
  const auto bytes_of = [](const std::string& text) {
    Samples bytes(text.size());
    std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    return bytes;
  };
  EXPECT_EQ(known(bytes_of(heif)), Format::heif);
  EXPECT_EQ(known(bytes_of(avif)), Format::avif);
  EXPECT_FALSE(known(bytes_of("BM")));
  EXPECT_FALSE(known({}));
}

// The messages for users are built from the table of formats.
TEST(PictureFormat, ListsMatchTheTable) {
  EXPECT_EQ(list_format_titles(), "PNG, JPEG, WebP, TIFF, AVIF, HEIF, JPEG XL, BMP and GIF");
  EXPECT_EQ(list_written_formats(), "png, jpg, webp, avif, jxl and tiff");
  EXPECT_EQ(list_written_formats("|", "|"), "png|jpg|webp|avif|jxl|tiff");
  EXPECT_EQ(list_lossy_formats(), "JPEG, WebP, AVIF and JPEG XL");
  EXPECT_EQ(list_formats_with([](const WriteSupport& writing) { return writing.iptc; }), "jpg or tiff");
}

TEST(PictureFormat, AReadOnlyFormatNeedsNothing) {
  const auto picture = make_picture_info(24, 16, 3, false, 8);
  EXPECT_EQ(PictureWriter::need(options_for(Format::heif, picture)).ram, Bytes{});
  const weir::test::Folder folder;
  const auto refused = PictureWriter::create(folder / "a.bmp", options_for(Format::bmp, picture));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("bmp cannot be written; use png, jpg, webp, avif, jxl or tiff"),
            std::string::npos)
      << refused.error().what;
}

}  // namespace
}  // namespace weir::media::test
