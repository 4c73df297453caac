#include "media/picture/picture.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "folder.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::animated_gif;
using test::bitmap;
using test::cmyk_jpeg;
using test::draw;
using test::form;
using test::get_file;
using test::grey_png;
using test::interlaced_png;
using test::largest_difference;
using test::load;
using test::make_metadata;
using test::options_for;
using test::palette_png;
using test::progressive_jpeg;
using test::put_file;
using test::Samples;
using test::save;
using weir::test::Folder;

struct Case {
  Format format;
  int colours;
  bool alpha;
  int bits;
  int tolerance;  // of a sample, in the units of `bits`
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << name_of(c.format) << " " << c.colours << (c.alpha ? "+alpha " : " ") << c.bits << " bits";
}

class RoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(RoundTrip, KeepsFormSamplesAndMetadata) {
  const auto& c = GetParam();
  Folder folder;
  const auto path = folder / (std::string{"picture."} + std::string{name_of(c.format)});
  const auto picture = form(83, 61, c.colours, c.alpha, c.bits);
  const auto rows = draw(picture);
  const auto metadata = make_metadata(c.colours == 1);
  const auto report = save(path, options_for(c.format, picture, metadata), rows);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->size.count(), std::filesystem::file_size(path));
  EXPECT_EQ(folder.all().size(), 1U);
  const auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.width, picture.width);
  EXPECT_EQ(loaded->info.height, picture.height);
  EXPECT_EQ(loaded->info.colours, picture.colours);
  EXPECT_EQ(loaded->info.alpha, picture.alpha);
  EXPECT_EQ(loaded->info.bits, picture.bits);
  EXPECT_EQ(loaded->info.format, c.format);
  EXPECT_LE(largest_difference(picture, rows, loaded->rows), c.tolerance);
  const auto has = [&](const char* what) {
    for (const auto& kept : report->kept)
      if (kept == what) return true;
    return false;
  };
  // What the report calls kept is there.
  if (has("icc")) {
    EXPECT_TRUE(loaded->metadata->icc == metadata->icc);
  }
  if (has("xmp")) {
    EXPECT_TRUE(loaded->metadata->xmp == metadata->xmp);
  }
  if (has("exif")) {
    const std::string exif{reinterpret_cast<const char*>(loaded->metadata->exif.data()), loaded->metadata->exif.size()};
    EXPECT_NE(exif.find("weir"), std::string::npos);
  }
  if (has("resolution")) {
    EXPECT_NEAR(loaded->metadata->dots_per_mm_x, 300 / 25.4, 0.01);
  }
  EXPECT_EQ(report->kept.size() + report->lost.size(), 4U + (c.alpha ? 1 : 0) + (c.bits == 16 ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         ::testing::Values(Case{Format::png, 3, false, 8, 0}, Case{Format::png, 3, true, 8, 0},
                                           Case{Format::png, 1, false, 8, 0}, Case{Format::png, 1, true, 8, 0},
                                           Case{Format::png, 3, false, 16, 0}, Case{Format::png, 3, true, 16, 0},
                                           Case{Format::png, 1, false, 16, 0}, Case{Format::png, 1, true, 16, 0},
                                           Case{Format::jpg, 3, false, 8, 24}, Case{Format::jpg, 1, false, 8, 24},
                                           Case{Format::webp, 3, false, 8, 0}, Case{Format::webp, 3, true, 8, 0},
                                           Case{Format::tiff, 3, false, 8, 0}, Case{Format::tiff, 3, true, 8, 0},
                                           Case{Format::tiff, 1, false, 8, 0}, Case{Format::tiff, 1, true, 8, 0},
                                           Case{Format::tiff, 3, false, 16, 0}, Case{Format::tiff, 1, false, 16, 0},
                                           Case{Format::avif, 3, false, 8, 24}, Case{Format::avif, 3, true, 8, 24},
                                           Case{Format::avif, 3, false, 16, 6000}, Case{Format::jxl, 3, false, 8, 0},
                                           Case{Format::jxl, 3, true, 8, 0}, Case{Format::jxl, 1, false, 8, 0},
                                           Case{Format::jxl, 3, false, 16, 0}));

// The sample that orientation `turn` puts at (x, y) of the upright picture, from EXIF's definition of row 0 and column 0.
std::byte upright(const PictureInfo& stored, const Samples& rows, int turn, int x, int y, int c) {
  const int w = stored.width, h = stored.height;
  int from_x = x, from_y = y;
  switch (turn) {
    case 2:
      from_x = w - 1 - x;
      break;
    case 3:
      from_x = w - 1 - x;
      from_y = h - 1 - y;
      break;
    case 4:
      from_y = h - 1 - y;
      break;
    case 5:
      from_x = y;
      from_y = x;
      break;
    case 6:
      from_x = y;
      from_y = h - 1 - x;
      break;
    case 7:
      from_x = w - 1 - y;
      from_y = h - 1 - x;
      break;
    case 8:
      from_x = w - 1 - y;
      from_y = x;
      break;
    default:
      break;
  }
  return rows[(static_cast<std::size_t>(from_y) * w + from_x) * stored.colours + c];
}

class Orientation : public ::testing::TestWithParam<int> {};

TEST_P(Orientation, IsAppliedOnceAndReset) {
  const int turn = GetParam();
  Folder folder;
  const auto path = folder / "turned.png";
  // Larger than one block in both directions, and no multiple of it.
  const auto stored = form(150, 133, 3, false, 8);
  const auto rows = draw(stored);
  ASSERT_TRUE(save(path, options_for(Format::png, stored, make_metadata(false, turn)), rows));
  const auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.width, turn >= 5 ? stored.height : stored.width);
  EXPECT_EQ(loaded->info.height, turn >= 5 ? stored.width : stored.height);
  EXPECT_EQ(exif_orientation(loaded->metadata->exif), 1);
  std::size_t at = 0, wrong = 0;
  for (int y = 0; y < loaded->info.height; ++y)
    for (int x = 0; x < loaded->info.width; ++x)
      for (int c = 0; c < 3; ++c) wrong += loaded->rows[at++] != upright(stored, rows, turn, x, y, c);
  EXPECT_EQ(wrong, 0U);
}
INSTANTIATE_TEST_SUITE_P(All, Orientation, ::testing::Range(1, 9));

TEST(Orientation, RewindGivesTheSameRowsAgain) {
  Folder folder;
  const auto path = folder / "turned.png";
  const auto stored = form(90, 40, 3, false, 8);
  for (const int turn : {1, 2, 4, 6}) {
    auto options = options_for(Format::png, stored, make_metadata(false, turn));
    options.overwrite = true;
    ASSERT_TRUE(save(path, options, draw(stored)));
    auto reader = PictureReader::open({.path = path, .bytes = nullptr});
    ASSERT_TRUE(reader);
    const auto bytes = (*reader)->info().row_bytes() * static_cast<std::size_t>((*reader)->info().height);
    Samples half(bytes / 2 / (*reader)->info().row_bytes() * (*reader)->info().row_bytes()), first(bytes),
        second(bytes);
    ASSERT_TRUE((*reader)->read(half));
    ASSERT_TRUE((*reader)->rewind());
    ASSERT_TRUE((*reader)->read(first));
    ASSERT_TRUE((*reader)->rewind());
    ASSERT_TRUE((*reader)->read(second));
    EXPECT_EQ(first, second) << turn;
  }
}

TEST(PictureReader, ReadsInterlacedPng) {
  Folder folder;
  const auto picture = form(37, 29, 3, false, 8);
  put_file(folder / "i.png", interlaced_png(picture, draw(picture)));
  const auto loaded = load(folder / "i.png");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->rows, draw(picture));
  auto reader = PictureReader::open({.path = folder / "i.png", .bytes = nullptr});
  EXPECT_EQ((*reader)->need().disk, Bytes{picture.row_bytes() * 29});
}

TEST(PictureReader, ExpandsPalettesAndSmallDepths) {
  Folder folder;
  put_file(folder / "p.png", palette_png(9, 5, 2));
  const auto palette = load(folder / "p.png");
  ASSERT_TRUE(palette) << palette.error().what;
  EXPECT_EQ(palette->info.colours, 3);
  EXPECT_EQ(palette->rows[3 * (9 * 1 + 2)], std::byte{3 * 40});  // x 2, y 1: index 3
  for (const int bits : {1, 2, 4}) {
    put_file(folder / "g.png", grey_png(21, 4, bits));
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
  const auto picture = form(640, 480, 3, false, 8);
  put_file(folder / "p.jpg", progressive_jpeg(picture, draw(picture)));
  ASSERT_TRUE(save(folder / "b.jpg", options_for(Format::jpg, picture), draw(picture)));
  const auto loaded = load(folder / "p.jpg");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_LE(largest_difference(picture, loaded->rows, draw(picture)), 40);
  auto progressive = PictureReader::open({.path = folder / "p.jpg", .bytes = nullptr});
  auto baseline = PictureReader::open({.path = folder / "b.jpg", .bytes = nullptr});
  EXPECT_GE((*progressive)->need().ram, (*baseline)->need().ram + Bytes{640 * 480 * 3});
}

TEST(PictureReader, ConvertsCmykToRgb) {
  Folder folder;
  put_file(folder / "c.jpg", cmyk_jpeg(24, 16));
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
      put_file(folder / "b.bmp", bitmap(19, 11, depth, top_down));
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
  put_file(folder / "a.gif", animated_gif(31, 17));
  const auto loaded = load(folder / "a.gif");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.height, 17);
  EXPECT_EQ(loaded->rows[0], std::byte{255});
  EXPECT_EQ(loaded->rows[2], std::byte{0});
}

TEST(PictureReader, KnowsAFormatByItsContentNotItsName) {
  Folder folder;
  const auto picture = form(20, 10, 3, false, 8);
  ASSERT_TRUE(save(folder / "really_png.jpg", options_for(Format::png, picture), draw(picture)));
  const auto loaded = load(folder / "really_png.jpg");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.format, Format::png);
}

TEST(PictureReader, ReadsFromMemory) {
  Folder folder;
  for (const Format format : {Format::png, Format::jpg, Format::tiff, Format::webp}) {
    const auto picture = form(50, 40, 3, false, 8);
    auto options = options_for(format, picture);
    options.overwrite = true;
    ASSERT_TRUE(save(folder / "m", options, draw(picture)));
    const auto file = load(folder / "m");
    ASSERT_TRUE(file);
    auto bytes = std::make_shared<const Samples>(get_file(folder / "m"));
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
  for (const auto& picture : {form(1, 1, 3, false, 8), form(1, 5000, 1, false, 8), form(5000, 1, 3, true, 16)})
    for (const Format format : {Format::png, Format::tiff, Format::jpg}) {
      const auto path = folder / std::to_string(count++);
      ASSERT_TRUE(save(path, options_for(format, picture), draw(picture)));
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
  put_file(folder / "empty.png", "", 0);
  expect_refused(folder / "empty.png", Errc::corrupt);
  put_file(folder / "text.jpg", "this is no picture, it is a text", 32);
  expect_refused(folder / "text.jpg", Errc::corrupt);
  expect_refused(folder / "missing.png", Errc::io);
  std::filesystem::create_directory(folder / "folder.png");
  expect_refused(folder / "folder.png", Errc::io);
}

TEST(BadInput, TruncatedIsAnErrorInEveryFormat) {
  Folder folder;
  const auto picture = form(120, 90, 3, false, 8);
  for (const Format format : {Format::png, Format::jpg, Format::webp, Format::tiff, Format::avif, Format::jxl}) {
    const std::string name = "cut." + std::string{name_of(format)};
    auto options = options_for(format, picture);
    options.overwrite = true;
    ASSERT_TRUE(save(folder / name, options, draw(picture)));
    const auto whole = get_file(folder / name);
    for (const double part : {0.97, 0.6, 0.2, 0.02}) {
      put_file(folder / name, whole.data(), static_cast<std::size_t>(static_cast<double>(whole.size()) * part));
      expect_refused(folder / name, Errc::corrupt);
    }
  }
  const auto whole = bitmap(30, 30, 24, false);
  put_file(folder / "cut.bmp", whole.data(), whole.size() - 1);
  expect_refused(folder / "cut.bmp", Errc::corrupt);
}

TEST(BadInput, OneFlippedByteInThePixelsOfAPngIsNoticed) {
  Folder folder;
  const auto picture = form(120, 90, 3, false, 8);
  ASSERT_TRUE(save(folder / "f.png", options_for(Format::png, picture), draw(picture)));
  auto bytes = get_file(folder / "f.png");
  bytes[bytes.size() / 2] ^= std::byte{1};
  put_file(folder / "f.png", bytes);
  expect_refused(folder / "f.png", Errc::corrupt);
}

TEST(BadInput, ABombIsOpenedByItsHeaderAndTakesNoMemory) {
  Folder folder;
  const auto picture = form(8, 8, 3, false, 8);
  ASSERT_TRUE(save(folder / "bomb.png", options_for(Format::png, picture), draw(picture)));
  auto bytes = get_file(folder / "bomb.png");
  // 100,000 x 100,000 in IHDR, with the check sum of such a header.
  const unsigned char sides[] = {0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0, 8, 2, 0, 0, 0, 0x27, 0x30, 0x9c, 0x9f};
  std::memcpy(bytes.data() + 16, sides, sizeof sides);
  put_file(folder / "bomb.png", bytes);
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

TEST(PictureWriter, SaysWhatAFormatCannotHold) {
  Folder folder;
  const auto picture = form(40, 30, 3, true, 16);
  const auto report = save(folder / "a.jpg", options_for(Format::jpg, picture), draw(picture));
  ASSERT_TRUE(report);
  ASSERT_EQ(report->lost.size(), 2U);
  EXPECT_NE(report->lost[0].find("white"), std::string::npos);
  EXPECT_NE(report->lost[1].find("16-bit"), std::string::npos);
  const auto tall = PictureWriter::create(folder / "b.webp", options_for(Format::webp, form(1, 20000, 3, false, 8)));
  ASSERT_FALSE(tall);
  EXPECT_EQ(tall.error().code, Errc::unsupported);
  EXPECT_EQ(folder.all().size(), 1U);
}

TEST(PictureWriter, DropsAProfileThatIsForOtherSamples) {
  Folder folder;
  const auto picture = form(16, 16, 1, false, 8);
  const auto report = save(folder / "a.png", options_for(Format::png, picture, make_metadata(false)), draw(picture));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lost, std::vector<std::string>{"icc (not for grey)"});
  EXPECT_TRUE(load(folder / "a.png")->metadata->icc.empty());
}

TEST(PictureWriter, FlattensAlphaOntoWhite) {
  Folder folder;
  const auto picture = form(16, 16, 3, true, 8);
  Samples rows(picture.row_bytes() * 16);  // black, and the upper half transparent
  for (std::size_t i = 8 * 16 * 4; i < rows.size(); i += 4) rows[i + 3] = std::byte{255};
  ASSERT_TRUE(save(folder / "a.jpg", options_for(Format::jpg, picture), rows));
  const auto loaded = load(folder / "a.jpg");
  ASSERT_TRUE(loaded);
  EXPECT_GE(std::to_integer<int>(loaded->rows[0]), 253);
  EXPECT_LE(std::to_integer<int>(loaded->rows.back()), 2);
}

TEST(PictureWriter, ResizesInLinearLight) {
  Folder folder;
  const auto picture = form(64, 64, 3, false, 8);
  Samples rows(picture.row_bytes() * 64);
  for (std::size_t i = 0; i < rows.size(); ++i)  // a fine checkerboard of black and white
    rows[i] = (i / 3 % 64 + i / 3 / 64) % 2 == 0 ? std::byte{255} : std::byte{0};
  auto options = options_for(Format::png, picture);
  options.final_width = options.final_height = 16;
  ASSERT_TRUE(save(folder / "small.png", options, rows));
  const auto loaded = load(folder / "small.png");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->info.width, 16);
  // Half of the light is 188 in sRGB; a resize of the coded values would give 128.
  EXPECT_NEAR(std::to_integer<int>(loaded->rows[3 * (16 * 8 + 8)]), 188, 3);
}

TEST(PictureWriter, ResizeKeepsAFlatPictureAndItsDepth) {
  Folder folder;
  for (const int bits : {8, 16}) {
    const auto picture = form(50, 30, 3, true, bits);
    Samples rows(picture.row_bytes() * 30, std::byte{0x77});
    auto options = options_for(Format::png, picture);
    options.overwrite = true;
    options.final_width = 123;
    options.final_height = 17;
    ASSERT_TRUE(save(folder / "flat.png", options, rows));
    const auto loaded = load(folder / "flat.png");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->info.bits, bits);
    const Samples flat(loaded->rows.size(), std::byte{0x77});
    EXPECT_LE(largest_difference(picture, loaded->rows, flat), bits == 8 ? 0 : 2);
  }
}

TEST(PictureWriter, PngIsTheSameWhateverTheBands) {
  Folder folder;
  const auto picture = form(200, 150, 3, false, 8);
  const auto rows = draw(picture);
  Samples first;
  for (const std::size_t band : {1, 7, 150}) {
    auto options = options_for(Format::png, picture);
    options.queue = Bytes{band * picture.row_bytes()};
    options.final_width = 300;
    options.final_height = 220;
    const auto path = folder / std::to_string(band);
    auto writer = PictureWriter::create(path, options);
    ASSERT_TRUE(writer);
    for (std::size_t at = 0; at < rows.size(); at += band * picture.row_bytes())
      ASSERT_TRUE(
          (*writer)->write(std::span{rows}.subspan(at, std::min(band * picture.row_bytes(), rows.size() - at))));
    ASSERT_TRUE((*writer)->finish());
    if (first.empty()) first = get_file(path);
    EXPECT_EQ(get_file(path), first);
  }
}

}  // namespace
}  // namespace weir::media
