// Tests of failures while writing: a full disk, a closed pipe, an abandoned writer.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "base/splitmix64.hpp"
#include "folder.hpp"
#include "media/picture/picture.hpp"
#include "media/picture/picture_samples_test.hpp"

namespace weir::media {
namespace {

using test::draw_rows;
using test::load;
using test::make_metadata;
using test::make_picture_info;
using test::options_for;
using test::read_test_file;
using test::Samples;
using test::save;
using test::write_test_file;
using weir::test::Folder;

/// Limits the size of files of this process to `bytes` while the object exists. The test does not ignore the signal
/// SIGXFSZ, because the writer must block it.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

/// Redirects standard output to `fd` while the object exists.
class StandardOutput {
 public:
  explicit StandardOutput(int fd) : before_{::dup(STDOUT_FILENO)} {
    std::fflush(stdout);
    ::dup2(fd, STDOUT_FILENO);
    ::close(fd);
  }
  ~StandardOutput() {
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  int before_;
};

// Returns rows of noise, which no format compresses well.
Samples noise(const PictureInfo& picture) {
  Samples rows(picture.row_bytes() * static_cast<std::size_t>(picture.height));
  SplitMix64 bits{1};
  for (auto& sample : rows) sample = static_cast<std::byte>(bits.next());
  return rows;
}

TEST(PictureWriter, RowsBeyondTheHeightAreAnError) {
  const Folder folder;
  const PictureInfo picture = make_picture_info(300, 40, 3, false, 8);
  auto writer = PictureWriter::create(folder / "tall.png", options_for(Format::png, picture));
  ASSERT_TRUE(writer);
  const Samples rows = draw_rows(picture);
  ASSERT_TRUE((*writer)->write(rows));
  for (int i = 0; i < 3; ++i) {
    const auto more = (*writer)->write(rows);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, Errc::invalid_argument);
  }
}

TEST(Writing, AFullDiskIsAnErrorAndLeavesNothing) {
  Folder folder;
  const auto picture = make_picture_info(200, 200, 3, false, 8);
  for (const Format format : {Format::png, Format::jpg, Format::webp, Format::tiff, Format::avif, Format::jxl}) {
    const auto report = [&] {
      const FileSizeLimit limit{10000};
      return save(folder / "full", options_for(format, picture), noise(picture));
    }();
    ASSERT_FALSE(report) << name_of(format);
    EXPECT_EQ(report.error().code, Errc::io) << report.error().what;
    EXPECT_NE(report.error().what.find("full"), std::string::npos) << report.error().what;
    EXPECT_EQ(report.error().what.find('\n'), std::string::npos) << report.error().what;
    EXPECT_EQ(folder.list_files().size(), 0U) << name_of(format);
  }
}

TEST(Writing, AClosedPipeIsAnError) {
  const auto picture = make_picture_info(200, 200, 3, false, 8);
  for (const Format format : {Format::png, Format::jpg, Format::tiff}) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    ::close(ends[0]);
    const auto report = [&] {
      const StandardOutput closed{ends[1]};
      return save("-", options_for(format, picture), noise(picture));
    }();
    ASSERT_FALSE(report) << name_of(format);
    EXPECT_EQ(report.error().code, Errc::io) << report.error().what;
  }
}

TEST(Writing, StandardOutputGetsTheSameBytesAsAFile) {
  Folder folder;
  const auto picture = make_picture_info(60, 40, 3, false, 8);
  for (const Format format : {Format::png, Format::jpg, Format::tiff, Format::jxl}) {
    const auto metadata = make_metadata(false);
    const std::string name{name_of(format)};
    ASSERT_TRUE(save(folder / ("a." + name), options_for(format, picture, metadata), draw_rows(picture)));
    const auto report = [&] {
      const StandardOutput file{::open((folder / ("b." + name)).c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600)};
      return save("-", options_for(format, picture, metadata), draw_rows(picture));
    }();
    ASSERT_TRUE(report) << report.error().what;
    EXPECT_EQ(read_test_file(folder / ("a." + name)), read_test_file(folder / ("b." + name))) << name;
  }
}

TEST(Writing, AnAbandonedWriterCleansUp) {
  Folder folder;
  const auto picture = make_picture_info(300, 400, 3, false, 8);
  const auto rows = draw_rows(picture);
  for (const Format format : {Format::png, Format::jpg, Format::webp, Format::tiff, Format::avif, Format::jxl})
    for (const std::size_t count : {0, 1, 200, 400}) {
      auto writer = PictureWriter::create(folder / "left", options_for(format, picture));
      ASSERT_TRUE(writer);
      ASSERT_TRUE((*writer)->write(std::span{rows}.first(count * picture.row_bytes())));
      writer->reset();
      EXPECT_EQ(folder.list_files().size(), 0U) << name_of(format) << " " << count;
    }
}

TEST(Writing, FinishingTooEarlyIsAnErrorAndLeavesNothing) {
  Folder folder;
  const auto picture = make_picture_info(30, 40, 3, false, 8);
  const auto rows = draw_rows(picture);
  for (const Format format : {Format::png, Format::jpg, Format::webp, Format::tiff, Format::jxl}) {
    auto writer = PictureWriter::create(folder / "early", options_for(format, picture));
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->write(std::span{rows}.first(39 * picture.row_bytes())));
    const auto report = (*writer)->finish();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, Errc::invalid_argument) << report.error().what;
    writer->reset();
    EXPECT_EQ(folder.list_files().size(), 0U);
  }
}

TEST(Writing, AnExistingFileStaysUnlessOverwriteIsSet) {
  Folder folder;
  const auto picture = make_picture_info(8, 8, 3, false, 8);
  write_test_file(folder / "a.png", "old", 3);
  const auto refused = save(folder / "a.png", options_for(Format::png, picture), draw_rows(picture));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::exists);
  auto options = options_for(Format::png, picture);
  options.overwrite = true;
  ASSERT_TRUE(save(folder / "a.png", options, draw_rows(picture)));
  EXPECT_TRUE(load(folder / "a.png"));
}

TEST(Writing, OverwritingTheInputReadsAllOfIt) {
  Folder folder;
  const auto picture = make_picture_info(64, 64, 3, false, 8);
  ASSERT_TRUE(save(folder / "a.png", options_for(Format::png, picture), noise(picture)));
  auto reader = PictureReader::open({.path = folder / "a.png", .bytes = nullptr});
  ASSERT_TRUE(reader);
  Samples rows(picture.row_bytes() * 64);
  ASSERT_TRUE((*reader)->read(std::span{rows}.first(picture.row_bytes())));
  auto options = options_for(Format::png, picture);
  options.overwrite = true;
  ASSERT_TRUE(save(folder / "a.png", options, draw_rows(picture)));
  ASSERT_TRUE((*reader)->rewind());
  ASSERT_TRUE((*reader)->read(rows));
  EXPECT_EQ(rows, noise(picture));  // the rows come from the opened file, not from its replacement
}

}  // namespace
}  // namespace weir::media
