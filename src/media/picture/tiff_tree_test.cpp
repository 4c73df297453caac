// Tests of tags of TIFF and EXIF directories that weir cannot copy: what cannot be written is reported, and no entry
// without its value is written.
#include "media/picture/tiff_tree.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "folder.hpp"
#include "media/picture/append_bytes_test.hpp"
#include "media/picture/container_metadata.hpp"
#include "media/picture/picture_samples_test.hpp"
#include "media/picture/tiff_extra_tags.hpp"

namespace weir::media {
namespace {

using weir::test::Folder;

constexpr std::uint16_t kAscii = 2, kLong = 4, kSignedLong = 9, kIfd = 13, kLong8 = 16, kSignedLong8 = 17, kIfd8 = 18;
constexpr std::uint16_t kMake = 0x010f, kMakerNote = 0x927c, kLensModel = 0xa434;

TiffTag text_tag(std::uint16_t tag, std::size_t size) {
  return {.tag = tag, .type = kAscii, .count = static_cast<std::uint32_t>(size), .value = Blob(size, std::byte{'a'})};
}

/// Makes an EXIF block: the tag Make, and a subdirectory with the given tags.
Blob exif_with(std::vector<TiffTag> tags) {
  TiffDirectory page;
  page.tags = {text_tag(kMake, 6)};
  TiffDirectory below;
  below.tags = std::move(tags);
  page.subdirectories.push_back({kExifPointer, std::move(below)});
  Blob block;
  test::append(block, "II*\0", 4);
  test::append_le(block, 8, 4);
  const Blob directory = write_tiff_tree(page, 8);
  block.insert(block.end(), directory.begin(), directory.end());
  return block;
}

const TiffTag* find_in_exif(const std::optional<TiffDirectory>& page, std::uint16_t tag) {
  if (!page || page->subdirectories.empty()) return nullptr;
  return page->subdirectories.front().directory.find(tag);
}

bool has_entry(const std::vector<std::string>& entries, std::string_view word) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const std::string& entry) { return entry.find(word) != std::string::npos; });
}

TEST(TiffTree, ALargeTagOfASubdirectoryIsReportedAndNotWritten) {
  const Blob exif = exif_with({text_tag(kMakerNote, 70000), text_tag(kLensModel, 9)});
  const auto file = InputFile::open({.path = "-", .bytes = std::make_shared<const Blob>(exif)});
  Metadata found;
  read_tiff_tags(**file, found);
  EXPECT_TRUE(has_entry(found.omissions, "tag 37500")) << "0x927c";
  const auto copy = read_tiff_tree(found.exif);
  EXPECT_EQ(find_in_exif(copy, kMakerNote), nullptr) << "an entry without its value";
  ASSERT_NE(find_in_exif(copy, kLensModel), nullptr);
  EXPECT_EQ(find_in_exif(copy, kLensModel)->value.size(), 9U);
}

TEST(TiffTree, LargeTagsOfExifAreReportedInTiffOutputs) {
  auto metadata = std::make_shared<Metadata>();
  metadata->exif = exif_with({text_tag(kMakerNote, 70000), text_tag(kLensModel, 9)});
  const auto picture = test::make_picture_info(24, 18, 3, false, 8);
  const Folder folder;
  const auto report =
      test::save(folder / "a.tif", test::options_for(Format::tiff, picture, metadata), test::draw_rows(picture));
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_TRUE(has_entry(report->lost, "0x927c"));
  const auto loaded = test::load(folder / "a.tif");
  ASSERT_TRUE(loaded) << loaded.error().what;
  const auto copy = read_tiff_tree(loaded->metadata->exif);
  EXPECT_EQ(find_in_exif(copy, kMakerNote), nullptr);
  EXPECT_NE(find_in_exif(copy, kLensModel), nullptr);
}

TEST(TiffTree, NumbersOf64BitsBecomeNumbersOf32Bits) {
  const auto number = [](std::uint16_t tag, std::uint16_t type, std::uint64_t value) {
    TiffTag made{.tag = tag, .type = type, .count = 1, .value = {}};
    for (int i = 0; i < 8; ++i) made.value.push_back(static_cast<std::byte>(value >> (8 * i)));
    return made;
  };
  const auto minus_two = static_cast<std::uint64_t>(-2);
  const auto page = read_tiff_tree(
      exif_with({number(1, kLong8, 7), number(2, kSignedLong8, minus_two), number(3, kIfd8, 9),
                 number(4, kLong8, std::uint64_t{1} << 32), number(5, kSignedLong8, std::uint64_t{1} << 31)}));
  const std::vector<std::pair<std::uint16_t, std::uint32_t>> expected = {
      {kLong, 7}, {kSignedLong, static_cast<std::uint32_t>(-2)}, {kIfd, 9}};
  for (std::uint16_t tag = 1; tag <= 3; ++tag) {
    const TiffTag* found = find_in_exif(page, tag);
    ASSERT_NE(found, nullptr) << tag;
    const auto& [type, value] = expected[tag - 1U];
    EXPECT_EQ(found->type, type) << tag;
    ASSERT_EQ(found->value.size(), 4U) << tag;
    EXPECT_EQ((TiffNumberReader{found->value, true}.u32(0)), value) << tag;
  }
  for (std::uint16_t tag = 4; tag <= 5; ++tag) {  // values that 32 bits cannot store
    ASSERT_NE(find_in_exif(page, tag), nullptr) << tag;
    EXPECT_TRUE(find_in_exif(page, tag)->value.empty()) << tag;
  }
}

TEST(TiffTree, ATruncatedFileIsNamedAsTheReasonWhyTagsCannotBeAdded) {
  const Folder folder;
  Blob header;
  test::append(header, "II*\0", 4);
  test::append_le(header, 1000, 4);  // offset of the directory, beyond the end of the file
  test::write_test_file(folder / "a.tif", header);
  const int fd = ::open((folder / "a.tif").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  Metadata metadata;
  metadata.exif = test::make_exif(1);
  errno = ENOSPC;  // from an earlier call, which has nothing to do with this file
  const auto added = add_tiff_tags(fd, metadata, "a.tif");
  ::close(fd);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, Errc::io);
  EXPECT_NE(added.error().what.find("ends too early"), std::string::npos) << added.error().what;
}

}  // namespace
}  // namespace weir::media
