// Tests of bitmaps that common programs rarely write.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "folder.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::load;
using test::Samples;
using test::write_test_file;
using weir::test::Folder;

void put_number(Samples& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

/// Makes a bitmap with a header of 40 bytes and a palette where colour i is (i, 2i, 3i) modulo 256.
Samples indexed(int width, int height, int depth, std::uint32_t compression, const std::vector<int>& stream,
                std::uint32_t colours = 0) {
  const std::uint32_t entries = colours == 0 ? 1U << depth : colours;
  Samples out;
  put_number(out, 0x4d42, 2);
  put_number(out, 0, 4);
  put_number(out, 0, 4);
  put_number(out, 54 + entries * 4, 4);
  put_number(out, 40, 4);
  put_number(out, static_cast<std::uint32_t>(width), 4);
  put_number(out, static_cast<std::uint32_t>(height), 4);
  put_number(out, 1, 2);
  put_number(out, static_cast<std::uint32_t>(depth), 2);
  put_number(out, compression, 4);
  put_number(out, static_cast<std::uint32_t>(stream.size()), 4);
  put_number(out, 2835, 4);
  put_number(out, 2835, 4);
  put_number(out, colours, 4);
  put_number(out, 0, 4);
  for (std::uint32_t i = 0; i < entries; ++i) put_number(out, i * 3 % 256 | i * 2 % 256 << 8 | i << 16, 4);
  for (const int value : stream) out.push_back(static_cast<std::byte>(value));
  return out;
}

/// Returns the decoded indices, which equal the red values of the palette.
std::vector<int> indices(const test::LoadedPicture& loaded) {
  std::vector<int> found;
  for (std::size_t i = 0; i < loaded.rows.size(); i += 3) found.push_back(std::to_integer<int>(loaded.rows[i]));
  return found;
}

std::vector<int> read_indices(const Samples& bytes) {
  Folder folder;
  write_test_file(folder / "a.bmp", bytes);
  const auto loaded = load(folder / "a.bmp");
  EXPECT_TRUE(loaded) << loaded.error().what;
  return loaded ? indices(*loaded) : std::vector<int>{};
}

Error refusal(const Samples& bytes) {
  Folder folder;
  write_test_file(folder / "a.bmp", bytes);
  const auto loaded = load(folder / "a.bmp");
  EXPECT_FALSE(loaded);
  return loaded ? Error{Errc::io, ""} : loaded.error();
}

TEST(BmpRuns, OfEightBits) {
  // The last row comes first: a run, padded literal pixels, and a move within the row.
  const std::vector<int> stream = {4, 7, 0, 0, 0, 3, 1, 2, 3, 0, 1, 9, 0, 0, 1, 5, 0, 2, 2, 0, 1, 6, 0, 1};
  EXPECT_EQ(read_indices(indexed(4, 3, 8, 1, stream)), (std::vector<int>{5, 0, 0, 6, 1, 2, 3, 9, 7, 7, 7, 7}));
}

TEST(BmpRuns, OfFourBits) {
  const std::vector<int> stream = {5, 0x12, 0, 0, 0, 5, 0x34, 0x56, 0x70, 0, 0, 1};
  EXPECT_EQ(read_indices(indexed(5, 2, 4, 2, stream)), (std::vector<int>{3, 4, 5, 6, 7, 1, 2, 1, 2, 1}));
}

TEST(BmpRuns, SkippedPixelsHaveTheFirstColour) {
  // Two pixels, then a move up by two rows and right by one, then an early end of the bitmap.
  const std::vector<int> stream = {2, 7, 0, 2, 1, 2, 1, 8, 0, 1};
  const auto found = read_indices(indexed(5, 4, 8, 1, stream));
  EXPECT_EQ(found, (std::vector<int>{0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 7, 7, 0, 0, 0}));
}

TEST(BmpRuns, PixelsOutsideOfTheBitmapAreIgnored) {
  const std::vector<int> stream = {200, 7, 0, 0, 3, 8, 0, 0, 3, 9, 0, 1};
  EXPECT_EQ(read_indices(indexed(3, 2, 8, 1, stream)), (std::vector<int>{8, 8, 8, 7, 7, 7}));
}

TEST(BmpRuns, AMissingEndMarkerIsNoDamageButMissingRowsAre) {
  EXPECT_EQ(read_indices(indexed(3, 2, 8, 1, {3, 7, 0, 0, 3, 8})), (std::vector<int>{8, 8, 8, 7, 7, 7}));
  const auto cut = refusal(indexed(3, 2, 8, 1, {3, 7, 0, 0, 2, 8}));
  EXPECT_EQ(cut.code, Errc::corrupt);
  EXPECT_NE(cut.what.find("row 1 of 2"), std::string::npos) << cut.what;
}

TEST(BmpRuns, TruncatedRowsAreFilledAndReported) {
  Folder folder;
  write_test_file(folder / "a.bmp", indexed(3, 3, 8, 1, {3, 7, 0, 0, 3, 8, 0, 0, 2, 9}));
  auto reader = PictureReader::open({.path = folder / "a.bmp", .bytes = nullptr},
                                    {.spill_folder = {}, .damaged = DamagePolicy::use});
  ASSERT_TRUE(reader) << reader.error().what;
  Samples rows((*reader)->info().row_bytes() * 3);
  ASSERT_TRUE((*reader)->read(rows));
  const auto row_bytes = static_cast<std::ptrdiff_t>((*reader)->info().row_bytes());
  EXPECT_TRUE(std::equal(rows.begin(), rows.begin() + row_bytes, rows.begin() + row_bytes)) << "the nearest whole row";
  EXPECT_FALSE(std::equal(rows.begin(), rows.begin() + row_bytes, rows.begin() + 2 * row_bytes));
  ASSERT_EQ((*reader)->damage().size(), 1U);
  EXPECT_EQ((*reader)->damage()[0], "the first of 3 rows is filled: the file ends early");
}

TEST(BmpRuns, MustBeOfTheirDepthAndFromTheBottomUp) {
  EXPECT_EQ(refusal(indexed(3, -2, 8, 1, {3, 7, 0, 1})).code, Errc::corrupt);
  EXPECT_EQ(refusal(indexed(3, 2, 4, 1, {3, 7, 0, 1})).code, Errc::corrupt);
  EXPECT_EQ(refusal(indexed(3, 2, 8, 2, {3, 7, 0, 1})).code, Errc::corrupt);
}

TEST(Bmp, EmbeddedPicturesAreRefused) {
  EXPECT_NE(refusal(indexed(3, 2, 8, 4, {0})).what.find("BI_JPEG"), std::string::npos);
  EXPECT_NE(refusal(indexed(3, 2, 8, 5, {0})).what.find("BI_PNG"), std::string::npos);
  EXPECT_EQ(refusal(indexed(3, 2, 8, 4, {0})).code, Errc::unsupported);
}

TEST(Bmp, ATruncatedHeaderIsDamaged) {
  auto bytes = indexed(3, 2, 8, 0, {0});
  bytes.resize(30);
  EXPECT_EQ(refusal(bytes).code, Errc::corrupt);
}

TEST(Bmp, IndicesBeyondAShortPaletteAreBlack) {
  EXPECT_EQ(read_indices(indexed(4, 1, 8, 0, {0, 1, 2, 200}, 3)), (std::vector<int>{0, 1, 2, 0}));
}

TEST(Bmp, IndicesOfTwoBits) {
  EXPECT_EQ(read_indices(indexed(4, 1, 2, 0, {0x1b, 0, 0, 0})), (std::vector<int>{0, 1, 2, 3}));
}

/// Makes a bitmap of one white pixel with a header of 124 bytes and, behind the pixel, an ICC profile. `declared_bytes`
/// is the size of the profile in the header.
Samples with_profile(const Blob& profile, std::size_t declared_bytes) {
  const auto bytes = indexed(1, 1, 8, 0, {}, 1);
  Samples out(bytes.begin(), bytes.begin() + 54);
  out.resize(14 + 124);
  put_number(out, 0x00ffffff, 4);  // the palette
  put_number(out, 0, 4);           // the only row
  out.insert(out.end(), profile.begin(), profile.end());
  const auto set = [&](std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<std::byte>(value >> (8 * i));
  };
  set(10, 142);              // bfOffBits: offset of the row
  set(14, 124);              // bV5Size
  set(14 + 56, 0x4d424544);  // bV5CSType: PROFILE_EMBEDDED
  set(14 + 112, 146 - 14);   // bV5ProfileData: offset of the profile, from the start of the header
  set(14 + 116, static_cast<std::uint32_t>(declared_bytes));
  return out;
}

TEST(Bmp, TheProfileOfAFifthHeaderIsKept) {
  const auto profile = test::make_icc(false);
  Folder folder;
  write_test_file(folder / "a.bmp", with_profile(profile, profile.size()));
  const auto loaded = load(folder / "a.bmp");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->metadata->icc, profile);
  EXPECT_EQ(loaded->rows[0], std::byte{255});
}

TEST(Bmp, AProfileBeyondTheEndOfTheFileIsReported) {
  const auto profile = test::make_icc(false);
  Folder folder;
  write_test_file(folder / "a.bmp", with_profile(profile, profile.size() + 1));
  const auto loaded = load(folder / "a.bmp");
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_TRUE(loaded->metadata->icc.empty());
  EXPECT_EQ(loaded->metadata->omissions, (std::vector<std::string>{"icc (damaged)"}));
}

TEST(Bmp, AResolutionThatIsNotAboveZeroIsUnknown) {
  for (const std::uint32_t invalid : {0U, static_cast<std::uint32_t>(-2835), 0x80000000U}) {
    auto bytes = indexed(1, 1, 8, 0, {0, 0, 0, 0});
    for (std::size_t i = 0; i < 4; ++i) bytes[42 + i] = static_cast<std::byte>(invalid >> (8 * i));  // biYPelsPerMeter
    Folder folder;
    write_test_file(folder / "a.bmp", bytes);
    const auto loaded = load(folder / "a.bmp");
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ(loaded->metadata->dots_per_mm_x, 0) << invalid;
    EXPECT_EQ(loaded->metadata->dots_per_mm_y, 0) << invalid;
  }
}

}  // namespace
}  // namespace weir::media
