#include "base/open_file.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/memory_file.hpp"
#include "base/rename_file.hpp"
#include "folder.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

TEST(OpenFile, AppendsAndCreatesMissingFiles) {
  const test::Folder folder;
  for (const char* line : {"one\n", "two\n"}) {
    const FileDescriptor file = open_to_append(folder / "log");
    ASSERT_TRUE(file);
    EXPECT_TRUE(append_in_one_write(file.get(), line));
    EXPECT_TRUE(sync_file(file.get()));
  }
  EXPECT_EQ(folder.text("log"), "one\ntwo\n");
  EXPECT_FALSE(open_new(folder / "log"));
  EXPECT_TRUE(open_new(folder / "other"));
  EXPECT_FALSE(open_to_read(folder / "missing"));
}

TEST(OpenFile, ALongFileIsRotatedOnce) {
  const test::Folder folder;
  folder.put("log", "123456789");
  // Two descriptors, as two processes that write the same log have them.
  const FileDescriptor first = open_to_append(folder / "log");
  const FileDescriptor second = open_to_append(folder / "log");
  EXPECT_FALSE(rotate_if_long(folder / "log", first.get(), 9));
  EXPECT_TRUE(rotate_if_long(folder / "log", first.get(), 8));
  EXPECT_FALSE(rotate_if_long(folder / "log", second.get(), 8)) << "the first descriptor still has the lock";
  EXPECT_EQ(folder.text("log.1"), "123456789");
  EXPECT_FALSE(fs::exists(folder / "log"));
}

TEST(RenameFile, ReplacesOnlyWhenAskedAndKeepsTheMode) {
  const test::Folder folder;
  folder.put("old", "old");
  folder.put("new", "new");
  fs::permissions(folder / "old", fs::perms::owner_read);
  const auto refused = rename_file(folder / "new", folder / "old", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::exists);
  EXPECT_EQ(folder.text("old"), "old");
  EXPECT_TRUE(rename_file(folder / "new", folder / "old", true));
  EXPECT_EQ(folder.text("old"), "new");
  EXPECT_EQ(fs::status(folder / "old").permissions(), fs::perms::owner_read);
  EXPECT_TRUE(rename_file(folder / "old", folder / "third", false));
  EXPECT_FALSE(rename_file(folder / "old", folder / "third", true)) << "the source does not exist";
}

TEST(MemoryFile, IsReadFromItsStart) {
  auto file = make_memory_file("weir-test");
  ASSERT_TRUE(file);
  EXPECT_TRUE(read_from_start(file->get())->empty());
  EXPECT_TRUE(append_in_one_write(file->get(), "one"));
  EXPECT_TRUE(append_in_one_write(file->get(), "two"));
  for (int i = 0; i < 2; ++i) {
    const auto bytes = read_from_start(file->get());
    ASSERT_TRUE(bytes);
    EXPECT_EQ((std::string{reinterpret_cast<const char*>(bytes->data()), bytes->size()}), "onetwo");
  }
  EXPECT_FALSE(read_from_start(-1));
}

}  // namespace
}  // namespace weir
