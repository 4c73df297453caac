// Tests of reading files that weir's writers do not make, and files that are not pictures.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "folder.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::animated_gif;
using test::bitmap;
using test::cmyk_jpeg;
using test::draw_rows;
using test::grey_png;
using test::interlaced_png;
using test::largest_difference;
using test::load;
using test::make_picture_info;
using test::options_for;
using test::palette_png;
using test::progressive_jpeg;
using test::read_test_file;
using test::Samples;
using test::save;
using test::write_test_file;
using weir::test::Folder;

TEST(PictureReader, ReadsInterlacedPng) {
  Folder folder;
  const auto picture = make_picture_info(37, 29, 3, false, 8);
  write_test_file(folder / "i.png", interlaced_png(picture, draw_rows(picture)));
  const auto loaded = load(folder / "i.png");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->rows, draw_rows(picture));
  auto reader = PictureReader::open({.path = folder / "i.png", .bytes = nullptr});
  EXPECT_EQ((*reader)->need().disk, Bytes{picture.row_bytes() * 29});
}

TEST(PictureReader, ExpandsPalettesAndSmallDepths) {
  Folder folder;
  write_test_file(folder / "p.png", palette_png(9, 5, 2));
  const auto palette = load(folder / "p.png");
  ASSERT_TRUE(palette) << palette.error().what;
  EXPECT_EQ(palette->info.colours, 3);
  EXPECT_EQ(palette->rows[3 * (9 * 1 + 2)], std::byte{3 * 40});  // x 2, y 1: index 3
  for (const int bits : {1, 2, 4}) {
    write_test_file(folder / "g.png", grey_png(21, 4, bits));
    const auto grey = load(folder / "g.png");
    ASSERT_TRUE(grey) << grey.error().what;
    EXPECT_EQ(grey->info.channels(), 1);
    EXPECT_EQ(grey->info.bits, 8);
    EXPECT_EQ(grey->rows[(1 << bits) - 1], std::byte{255});
    EXPECT_EQ(grey->rows[0], std::byte{0});
  }
}

TEST(PictureReader, ReadsProgressiveJpegAndCountsItsCoefficients) {
  Folder folder;
  const auto picture = make_picture_info(640, 480, 3, false, 8);
  write_test_file(folder / "p.jpg", progressive_jpeg(picture, draw_rows(picture)));
  ASSERT_TRUE(save(folder / "b.jpg", options_for(Format::jpg, picture), draw_rows(picture)));
  const auto loaded = load(folder / "p.jpg");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_LE(largest_difference(picture, loaded->rows, draw_rows(picture)), 40);
  auto progressive = PictureReader::open({.path = folder / "p.jpg", .bytes = nullptr});
  auto baseline = PictureReader::open({.path = folder / "b.jpg", .bytes = nullptr});
  EXPECT_GE((*progressive)->need().ram, (*baseline)->need().ram + Bytes{640 * 480 * 3});
}

TEST(PictureReader, ConvertsCmykToRgb) {
  Folder folder;
  write_test_file(folder / "c.jpg", cmyk_jpeg(24, 16));
  const auto loaded = load(folder / "c.jpg");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.channels(), 3);
  EXPECT_TRUE(loaded->metadata->icc.empty());
  EXPECT_LT(std::to_integer<int>(loaded->rows[0]), 80);  // cyan: little red
  EXPECT_GT(std::to_integer<int>(loaded->rows[1]), 120);
  EXPECT_GT(std::to_integer<int>(loaded->rows[2]), 180);
}

TEST(PictureReader, ReadsBitmapsOfEveryDepthInBothOrders) {
  Folder folder;
  for (const int depth : {8, 16, 24, 32})
    for (const bool top_down : {false, true}) {
      write_test_file(folder / "b.bmp", bitmap(19, 11, depth, top_down));
      const auto loaded = load(folder / "b.bmp");
      ASSERT_TRUE(loaded) << loaded.error().what;
      ASSERT_EQ(loaded->info.channels(), 3);
      const auto* pixel = &loaded->rows[3 * (19 * 7 + 13)];
      EXPECT_NEAR(std::to_integer<int>(pixel[0]), 13 * 8, 4) << depth;
      if (depth > 8) {
        EXPECT_NEAR(std::to_integer<int>(pixel[1]), 7 * 8, 4) << depth;
      }
      EXPECT_NEAR(std::to_integer<int>(pixel[2]), 64, 4) << depth;
      EXPECT_NEAR(loaded->metadata->dots_per_mm_x, 3.78, 0.001);
    }
}

TEST(PictureReader, TakesTheFirstFrameOfAnAnimation) {
  Folder folder;
  write_test_file(folder / "a.gif", animated_gif(31, 17));
  const auto loaded = load(folder / "a.gif");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.height, 17);
  EXPECT_EQ(loaded->rows[0], std::byte{255});
  EXPECT_EQ(loaded->rows[2], std::byte{0});
}

TEST(PictureReader, RecognizesAFormatByItsContent) {
  Folder folder;
  const auto picture = make_picture_info(20, 10, 3, false, 8);
  ASSERT_TRUE(save(folder / "really_png.jpg", options_for(Format::png, picture), draw_rows(picture)));
  const auto loaded = load(folder / "really_png.jpg");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.format, Format::png);
}

TEST(PictureReader, ReadsFromMemory) {
  Folder folder;
  for (const Format format : {Format::png, Format::jpg, Format::tiff, Format::webp}) {
    const auto picture = make_picture_info(50, 40, 3, false, 8);
    auto options = options_for(format, picture);
    options.overwrite = true;
    ASSERT_TRUE(save(folder / "m", options, draw_rows(picture)));
    const auto file = load(folder / "m");
    ASSERT_TRUE(file);
    auto bytes = std::make_shared<const Samples>(read_test_file(folder / "m"));
    auto reader = PictureReader::open({.path = "-", .bytes = bytes});
    ASSERT_TRUE(reader) << reader.error().what;
    Samples rows(file->rows.size());
    ASSERT_TRUE((*reader)->read(rows));
    EXPECT_EQ(rows, file->rows);
  }
}

TEST(PictureReader, OddShapes) {
  Folder folder;
  int count = 0;
  for (const auto& picture : {make_picture_info(1, 1, 3, false, 8), make_picture_info(1, 5000, 1, false, 8),
                              make_picture_info(5000, 1, 3, true, 16)})
    for (const Format format : {Format::png, Format::tiff, Format::jpg}) {
      const auto path = folder / std::to_string(count++);
      ASSERT_TRUE(save(path, options_for(format, picture), draw_rows(picture)));
      const auto loaded = load(path);
      ASSERT_TRUE(loaded) << loaded.error().what;
      EXPECT_EQ(loaded->info.width, picture.width);
      EXPECT_EQ(loaded->info.height, picture.height);
    }
}

// Every error is one line with the name of the file.
void expect_refused(const std::filesystem::path& path, Errc code) {
  const auto loaded = load(path);
  ASSERT_FALSE(loaded) << path;
  EXPECT_EQ(loaded.error().code, code) << loaded.error().what;
  EXPECT_EQ(loaded.error().what.find('\n'), std::string::npos) << loaded.error().what;
  EXPECT_NE(loaded.error().what.find(path.filename().native()), std::string::npos) << loaded.error().what;
}

TEST(BadInput, IsRefusedByName) {
  Folder folder;
  write_test_file(folder / "empty.png", "", 0);
  expect_refused(folder / "empty.png", Errc::corrupt);
  write_test_file(folder / "text.jpg", "this is no picture, it is a text", 32);
  expect_refused(folder / "text.jpg", Errc::corrupt);
  expect_refused(folder / "missing.png", Errc::io);
  std::filesystem::create_directory(folder / "folder.png");
  expect_refused(folder / "folder.png", Errc::io);
}

TEST(BadInput, TruncatedIsAnErrorInEveryFormat) {
  Folder folder;
  const auto picture = make_picture_info(120, 90, 3, false, 8);
  for (const Format format : {Format::png, Format::jpg, Format::webp, Format::tiff, Format::avif, Format::jxl}) {
    const std::string name = "cut." + std::string{name_of(format)};
    auto options = options_for(format, picture);
    options.overwrite = true;
    ASSERT_TRUE(save(folder / name, options, draw_rows(picture)));
    const auto whole = read_test_file(folder / name);
    for (const double part : {0.97, 0.6, 0.2, 0.02}) {
      write_test_file(folder / name, whole.data(), static_cast<std::size_t>(static_cast<double>(whole.size()) * part));
      expect_refused(folder / name, Errc::corrupt);
    }
  }
  const auto whole = bitmap(30, 30, 24, false);
  write_test_file(folder / "cut.bmp", whole.data(), whole.size() - 1);
  expect_refused(folder / "cut.bmp", Errc::corrupt);
}

TEST(BadInput, OneFlippedByteInThePixelsOfAPngIsNoticed) {
  Folder folder;
  const auto picture = make_picture_info(120, 90, 3, false, 8);
  ASSERT_TRUE(save(folder / "f.png", options_for(Format::png, picture), draw_rows(picture)));
  auto bytes = read_test_file(folder / "f.png");
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_test_file(folder / "f.png", bytes);
  expect_refused(folder / "f.png", Errc::corrupt);
}

TEST(BadInput, ADecompressionBombIsOpenedWithoutMuchMemory) {
  Folder folder;
  const auto picture = make_picture_info(8, 8, 3, false, 8);
  ASSERT_TRUE(save(folder / "bomb.png", options_for(Format::png, picture), draw_rows(picture)));
  auto bytes = read_test_file(folder / "bomb.png");
  // 100,000 x 100,000 pixels in IHDR, with the right checksum.
  const unsigned char sides[] = {0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0, 8, 2, 0, 0, 0, 0x27, 0x30, 0x9c, 0x9f};
  std::memcpy(bytes.data() + 16, sides, sizeof sides);
  write_test_file(folder / "bomb.png", bytes);
  auto reader = PictureReader::open({.path = folder / "bomb.png", .bytes = nullptr});
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_EQ((*reader)->info().width, 100000);
  EXPECT_LT((*reader)->need().ram, 8_MiB);
  Samples row((*reader)->info().row_bytes());
  Status state = ok();
  for (int y = 0; y < 20 && state; ++y) state = (*reader)->read(row);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace weir::media
