// Tests that what is written is read again: samples, form, metadata and orientation, in every format that weir writes.
#include "media/picture/picture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "folder.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::draw_rows;
using test::largest_difference;
using test::load;
using test::make_metadata;
using test::make_picture_info;
using test::options_for;
using test::read_test_file;
using test::Samples;
using test::save;
using weir::test::Folder;

struct Case {
  Format format;
  int colours;
  bool alpha;
  int bits;
  int tolerance;  // largest allowed difference of a sample
};

void PrintTo(const Case& one_case, std::ostream* out) {
  *out << name_of(one_case.format) << " " << one_case.colours << (one_case.alpha ? "+alpha " : " ") << one_case.bits
       << " bits";
}

class RoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(RoundTrip, KeepsFormSamplesAndMetadata) {
  const auto& one_case = GetParam();
  Folder folder;
  const auto path = folder / (std::string{"picture."} + std::string{name_of(one_case.format)});
  const auto picture = make_picture_info(83, 61, one_case.colours, one_case.alpha, one_case.bits);
  const auto rows = draw_rows(picture);
  const auto metadata = make_metadata(one_case.colours == 1);
  const auto report = save(path, options_for(one_case.format, picture, metadata), rows);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->size.count(), std::filesystem::file_size(path));
  EXPECT_EQ(folder.list_files().size(), 1U);
  const auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.width, picture.width);
  EXPECT_EQ(loaded->info.height, picture.height);
  EXPECT_EQ(loaded->info.colours, picture.colours);
  EXPECT_EQ(loaded->info.alpha, picture.alpha);
  EXPECT_EQ(loaded->info.bits, picture.bits);
  EXPECT_EQ(loaded->info.format, one_case.format);
  EXPECT_LE(largest_difference(picture, rows, loaded->rows), one_case.tolerance);
  const auto has = [&](const char* what) {
    for (const auto& kept : report->kept)
      if (kept == what) return true;
    return false;
  };
  // The output contains everything that the report lists as kept.
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
  EXPECT_EQ(report->kept.size() + report->lost.size(), 4U + (one_case.alpha ? 1 : 0) + (one_case.bits == 16 ? 1 : 0));
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

// Returns the sample that orientation `turn` moves to (x, y) of the displayed picture. EXIF defines orientations by the
// side of the displayed picture where row 0 and column 0 of the file are.
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
  // The size is larger than one block of apply_orientation() in both directions, and not a multiple of it.
  const auto stored = make_picture_info(150, 133, 3, false, 8);
  const auto rows = draw_rows(stored);
  ASSERT_TRUE(save(path, options_for(Format::png, stored, make_metadata(false, turn)), rows));
  const auto loaded = load(path);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->info.width, turn >= 5 ? stored.height : stored.width);
  EXPECT_EQ(loaded->info.height, turn >= 5 ? stored.width : stored.height);
  EXPECT_EQ(read_exif_orientation(loaded->metadata->exif), 1);
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
  const auto stored = make_picture_info(90, 40, 3, false, 8);
  for (const int turn : {1, 2, 4, 6}) {
    auto options = options_for(Format::png, stored, make_metadata(false, turn));
    options.overwrite = true;
    ASSERT_TRUE(save(path, options, draw_rows(stored)));
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

TEST(PictureWriter, ReportsWhatAFormatCannotStore) {
  Folder folder;
  const auto picture = make_picture_info(40, 30, 3, true, 16);
  const auto report = save(folder / "a.jpg", options_for(Format::jpg, picture), draw_rows(picture));
  ASSERT_TRUE(report);
  ASSERT_EQ(report->lost.size(), 2U);
  EXPECT_NE(report->lost[0].find("white"), std::string::npos);
  EXPECT_NE(report->lost[1].find("16-bit"), std::string::npos);
  const auto tall =
      PictureWriter::create(folder / "b.webp", options_for(Format::webp, make_picture_info(1, 20000, 3, false, 8)));
  ASSERT_FALSE(tall);
  EXPECT_EQ(tall.error().code, Errc::unsupported);
  EXPECT_EQ(folder.list_files().size(), 1U);
}

TEST(PictureWriter, DropsAProfileThatIsForOtherSamples) {
  Folder folder;
  const auto picture = make_picture_info(16, 16, 1, false, 8);
  const auto report =
      save(folder / "a.png", options_for(Format::png, picture, make_metadata(false)), draw_rows(picture));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lost, std::vector<std::string>{"icc (not for grey)"});
  EXPECT_TRUE(load(folder / "a.png")->metadata->icc.empty());
}

TEST(PictureWriter, AResolutionThatAFormatCannotStoreIsLimited) {
  Folder folder;
  const auto picture = make_picture_info(4, 4, 3, false, 8);
  auto metadata = std::make_shared<Metadata>();
  metadata->dots_per_mm_x = metadata->dots_per_mm_y = 1e30;
  const std::pair<Format, double> limits[] = {{Format::png, 2147483.647}, {Format::jpg, 65535 / 25.4}};  // dots per mm
  for (const auto& [format, limit] : limits) {
    ASSERT_TRUE(save(folder / name_of(format), options_for(format, picture, metadata), draw_rows(picture)));
    const auto loaded = load(folder / name_of(format));
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_NEAR(loaded->metadata->dots_per_mm_x, limit, 0.01) << name_of(format);
    EXPECT_NEAR(loaded->metadata->dots_per_mm_y, limit, 0.01) << name_of(format);
  }
}

TEST(PictureWriter, FlattensAlphaOntoWhite) {
  Folder folder;
  const auto picture = make_picture_info(16, 16, 3, true, 8);
  Samples rows(picture.row_bytes() * 16);  // black; the upper half is transparent
  for (std::size_t i = 8 * 16 * 4; i < rows.size(); i += 4) rows[i + 3] = std::byte{255};
  ASSERT_TRUE(save(folder / "a.jpg", options_for(Format::jpg, picture), rows));
  const auto loaded = load(folder / "a.jpg");
  ASSERT_TRUE(loaded);
  EXPECT_GE(std::to_integer<int>(loaded->rows[0]), 253);
  EXPECT_LE(std::to_integer<int>(loaded->rows.back()), 2);
}

TEST(PictureWriter, ResizesInLinearLight) {
  Folder folder;
  const auto picture = make_picture_info(64, 64, 3, false, 8);
  Samples rows(picture.row_bytes() * 64);
  for (std::size_t i = 0; i < rows.size(); ++i)  // a fine checkerboard of black and white
    rows[i] = (i / 3 % 64 + i / 3 / 64) % 2 == 0 ? std::byte{255} : std::byte{0};
  auto options = options_for(Format::png, picture);
  options.final_width = options.final_height = 16;
  ASSERT_TRUE(save(folder / "small.png", options, rows));
  const auto loaded = load(folder / "small.png");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->info.width, 16);
  // Half of the light is 188 in sRGB; resizing the encoded values would result in 128.
  EXPECT_NEAR(std::to_integer<int>(loaded->rows[3 * (16 * 8 + 8)]), 188, 3);
}

TEST(PictureWriter, ResizeKeepsAFlatPictureAndItsDepth) {
  Folder folder;
  for (const int bits : {8, 16}) {
    const auto picture = make_picture_info(50, 30, 3, true, bits);
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
  const auto picture = make_picture_info(200, 150, 3, false, 8);
  const auto rows = draw_rows(picture);
  Samples first;
  for (const std::size_t band : {1, 7, 150}) {
    auto options = options_for(Format::png, picture);
    options.queue_size = Bytes{band * picture.row_bytes()};
    options.final_width = 300;
    options.final_height = 220;
    const auto path = folder / std::to_string(band);
    auto writer = PictureWriter::create(path, options);
    ASSERT_TRUE(writer);
    for (std::size_t at = 0; at < rows.size(); at += band * picture.row_bytes())
      ASSERT_TRUE(
          (*writer)->write(std::span{rows}.subspan(at, std::min(band * picture.row_bytes(), rows.size() - at))));
    ASSERT_TRUE((*writer)->finish());
    if (first.empty()) first = read_test_file(path);
    EXPECT_EQ(read_test_file(path), first);
  }
}

}  // namespace
}  // namespace weir::media
