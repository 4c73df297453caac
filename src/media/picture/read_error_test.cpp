// Tests that a failed read of the file is an error of the kind io in every format and with both policies for damaged
// files. Such a failure is no damage: the rest of the picture must not be filled, because the file may be intact.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "folder.hpp"
#include "media/picture/decoder.hpp"
#include "media/picture/fill_damaged_rows.hpp"
#include "media/picture/picture_format.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::Samples;
using weir::test::Folder;

constexpr int kWidth = 500, kHeight = 400;

/// Makes all further reads of the file fail with EISDIR: its descriptor becomes that of a folder.
void break_reads(const InputFile& file, const Folder& folder) {
  const int broken = ::open(folder.path().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(broken, 0);
  ASSERT_EQ(::dup2(broken, file.fd()), file.fd());
  ::close(broken);
}

struct BrokenReading {
  std::string name;
  Samples bytes;           // the intact file
  bool copies_fd = false;  // libvips copies the descriptor when decoding starts, so a later break has no effect
};

/// Returns noise, so that the files are much larger than the buffers of the decoders.
Samples incompressible_rows(const PictureInfo& picture) {
  std::minstd_rand random{7};
  Samples rows(picture.row_bytes() * static_cast<std::size_t>(picture.height));
  for (std::byte& each : rows) each = static_cast<std::byte>(random() >> 8);
  return rows;
}

std::vector<BrokenReading> readings() {
  const Folder folder;
  const auto picture = test::make_picture_info(kWidth, kHeight, 3, false, 8);
  const Samples rows = incompressible_rows(picture);
  std::vector<BrokenReading> all;
  for (const Format format : {Format::png, Format::jpg, Format::tiff, Format::webp, Format::avif, Format::jxl}) {
    const std::string name{name_of(format)};
    EXPECT_TRUE(test::save(folder / name, test::options_for(format, picture), rows));
    const bool copies_fd = format == Format::webp || format == Format::avif || format == Format::jxl;
    all.push_back({name, test::read_test_file(folder / name), copies_fd});
  }
  all.push_back({"interlaced png", test::interlaced_png(picture, rows)});
  all.push_back({"progressive jpg", test::progressive_jpeg(picture, rows)});
  all.push_back({"cmyk jpg", test::cmyk_jpeg(kWidth, kHeight), true});
  all.push_back({"bmp", test::bitmap(kWidth, kHeight, 24, false)});
  all.push_back({"gif", test::animated_gif(kWidth, kHeight), true});
  return all;
}

/// Opens the file and reads `rows_before` rows; then all reads of the file fail. Returns the result of reading the
/// other rows.
Status read_broken(const BrokenReading& reading, DamagePolicy damaged, int rows_before) {
  const Folder folder;
  test::write_test_file(folder / "a", reading.bytes);
  const auto file = InputFile::open({.path = folder / "a", .bytes = nullptr});
  if (!file) return file.error();
  auto decoder = sniff_format(reading.bytes)->open(*file, {.spill_folder = {}, .damaged = damaged});
  if (!decoder) return decoder.error();
  if (damaged == DamagePolicy::use) decoder = fill_damaged_rows(*std::move(decoder), **file);
  const auto row_bytes = (*decoder)->info().row_bytes();
  Samples rows(row_bytes * kHeight);
  const auto before = row_bytes * static_cast<std::size_t>(rows_before);
  if (before > 0)
    if (auto got = (*decoder)->read(std::span{rows}.first(before)); !got) return got;
  break_reads(**file, folder);
  auto got = (*decoder)->read(std::span{rows}.subspan(before));
  EXPECT_TRUE((*decoder)->damage().empty()) << reading.name;
  (*decoder)->release_thread_resources();
  return got;
}

TEST(ReadError, IsNeitherDamageNorTheEndOfTheFile) {
  for (const BrokenReading& reading : readings())
    for (const DamagePolicy damaged : {DamagePolicy::use, DamagePolicy::refuse})
      for (const int rows_before : {0, 1}) {
        if (rows_before > 0 && (reading.copies_fd || reading.name.find(' ') != std::string::npos)) continue;
        const auto got = read_broken(reading, damaged, rows_before);
        const std::string what = reading.name + (damaged == DamagePolicy::use ? ", use, " : ", refuse, ") +
                                 std::to_string(rows_before) + " rows before: ";
        ASSERT_FALSE(got) << what << "read without an error";
        EXPECT_EQ(got.error().code, Errc::io) << what << got.error().what;
        EXPECT_NE(got.error().what.find("cannot be read"), std::string::npos) << what << got.error().what;
      }
}

TEST(ReadError, OfARunLengthEncodedBitmapIsForgottenAfterARestart) {
  Samples bytes = test::bitmap(2, 3, 8, false);
  bytes[30] = std::byte{1};         // biCompression: BI_RLE8
  bytes.resize(14 + 40 + 4 * 256);  // without the pixels
  for (const int row : {7, 8, 9})   // from the bottom up: two pixels with this index, and the end of the row
    for (const int code : {2, row, 0, 0}) bytes.push_back(static_cast<std::byte>(code));
  const Folder folder;
  test::write_test_file(folder / "a", bytes);
  const auto file = InputFile::open({.path = folder / "a", .bytes = nullptr});
  ASSERT_TRUE(file);
  auto decoder = sniff_format(bytes)->open(*file, {.spill_folder = {}, .damaged = DamagePolicy::use});
  ASSERT_TRUE(decoder) << decoder.error().what;
  Samples intact((*decoder)->info().row_bytes() * 3), rows(intact.size());
  auto other = sniff_format(bytes)->open(*file, {.spill_folder = {}, .damaged = DamagePolicy::use});
  ASSERT_TRUE(other && (*other)->read(intact));
  const int working = ::fcntl((*file)->fd(), F_DUPFD_CLOEXEC, 0);
  break_reads(**file, folder);
  const auto failed = (*decoder)->read(rows);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::io) << failed.error().what;
  ASSERT_EQ(::dup2(working, (*file)->fd()), (*file)->fd());
  ::close(working);
  ASSERT_TRUE((*decoder)->restart());
  ASSERT_TRUE((*decoder)->read(rows));
  EXPECT_EQ(rows, intact);
  EXPECT_TRUE((*decoder)->damage().empty());
}

}  // namespace
}  // namespace weir::media
