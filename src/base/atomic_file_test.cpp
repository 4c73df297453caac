#include "base/atomic_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "folder.hpp"

namespace weir {
namespace {

class AtomicFileTest : public ::testing::Test {
 protected:
  static void put(const AtomicFile& file, const std::string& text) {
    ASSERT_EQ(::write(file.fd(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  static std::string read(const std::filesystem::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  /// Returns the number of files in the folder, temporary ones included.
  std::size_t entries() const { return made_.list_files().size(); }

  test::Folder made_;
  const std::filesystem::path& folder_ = made_.path();
};

TEST_F(AtomicFileTest, TheFileHasItsNameOnlyAfterCommit) {
  const auto path = folder_ / "a";
  auto file = AtomicFile::create(path, false);
  ASSERT_TRUE(file) << file.error().what;
  put(*file, "whole");
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(read(path), "whole");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFileTest, AnUncommittedFileLeavesNothing) {
  {
    auto file = AtomicFile::create(folder_ / "a", true);
    ASSERT_TRUE(file);
    put(*file, "half");
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(AtomicFileTest, RefusesAnExistingFileAndReplacesItWhenAsked) {
  const auto path = folder_ / "a";
  std::ofstream{path} << "old";
  const auto refused = AtomicFile::create(path, false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::exists);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  auto file = AtomicFile::create(path, true);
  ASSERT_TRUE(file);
  put(*file, "new");
  EXPECT_EQ(read(path), "old");
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(read(path), "new");
  struct stat about {};
  ASSERT_EQ(::stat(path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);  // a private file stays private
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFileTest, AFileThatAppearedMeanwhileIsNotReplaced) {
  const auto path = folder_ / "a";
  auto file = AtomicFile::create(path, false);
  ASSERT_TRUE(file);
  put(*file, "ours");
  std::ofstream{path} << "theirs";
  const auto late = file->commit();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::exists);
  EXPECT_EQ(read(path), "theirs");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicFileTest, NamesOf255BytesWorkWithAndWithoutOverwrite) {
  const auto path = folder_ / std::string(255, 'x');
  for (const bool overwrite : {false, true}) {
    auto file = AtomicFile::create(path, overwrite);
    ASSERT_TRUE(file) << file.error().what;
    ASSERT_TRUE(file->commit());
  }
  EXPECT_EQ(entries(), 1u);
  const auto longer = AtomicFile::create(folder_ / std::string(256, 'x'), false);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Errc::io);
}

TEST_F(AtomicFileTest, MissingFoldersAndNonFilesAreErrors) {
  EXPECT_EQ(AtomicFile::create(folder_ / "missing" / "a", false).error().code, Errc::io);
  EXPECT_EQ(AtomicFile::create("/dev/null", true).error().code, Errc::io);
  EXPECT_EQ(AtomicFile::create(folder_ / "a" / "", false).error().code, Errc::io);
  std::filesystem::create_directory(folder_ / "d");
  EXPECT_EQ(AtomicFile::create(folder_ / "d", true).error().code, Errc::io);
}

TEST_F(AtomicFileTest, MessagesAreOneLine) {
  const auto refused = AtomicFile::create(folder_ / "no\nfolder" / "a", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what.find('\n'), std::string::npos);
}

TEST_F(AtomicFileTest, AScratchFileHasNoName) {
  auto file = open_scratch_file(folder_);
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(::write(file->get(), "x", 1), 1);
  EXPECT_EQ(entries(), 0u);
  EXPECT_FALSE(open_scratch_file(folder_ / "missing"));
}

}  // namespace
}  // namespace weir
