#include "device/lease_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "device/lease_file.hpp"
#include "device/processes_test.hpp"

namespace weir::device {
namespace {

namespace fs = std::filesystem;

Environment variables(std::map<std::string, std::string> set) {
  return [set = std::move(set)](const char* name) -> std::optional<std::string> {
    const auto at = set.find(name);
    return at == set.end() ? std::nullopt : std::optional{at->second};
  };
}

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

TEST(LeaseFolder, TheEnvironmentVariableHasPriority) {
  const test::Folder folder;
  const auto found = find_lease_folder(variables({{"WEIR_LEASE_DIR", folder.path().native()}}));
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->path, folder.path());
  EXPECT_EQ(found->warning, "");
}

TEST(LeaseFolder, AMissingFolderIsAnError) {
  const auto found = find_lease_folder(variables({{"WEIR_LEASE_DIR", "/no/such/folder"}}));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().what.find("/no/such/folder"), std::string::npos);
}

TEST(LeaseFolder, RootCreatesTheSystemFolder) {
  const test::Folder folder;
  if (::geteuid() != 0) GTEST_SKIP() << "only root may create it";
  const auto found = find_lease_folder(variables({}), folder.path() / "weir");
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->path, folder.path() / "weir");
  EXPECT_EQ(mode_of(found->path), 01777u);
}

TEST(LeaseFolder, AFolderOfOneUserHasAWarning) {
  const test::Folder folder;
  const auto found =
      find_lease_folder(variables({{"XDG_RUNTIME_DIR", folder.path().native()}}), "/no/such/folder/weir");
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->path, folder.path() / "weir");
  EXPECT_EQ(mode_of(found->path), 0700u);
  EXPECT_NE(found->warning.find("only your own programs"), std::string::npos);
}

TEST(LeaseFolder, NetworkFileSystemsAreKnown) {
  EXPECT_TRUE(is_network_file_system(0x6969));       // NFS_SUPER_MAGIC
  EXPECT_TRUE(is_network_file_system(0xFF534D42));   // CIFS_SUPER_MAGIC
  EXPECT_FALSE(is_network_file_system(0x01021994));  // TMPFS_MAGIC
  EXPECT_FALSE(is_network_file_system(0xEF53));      // EXT4_SUPER_MAGIC
  EXPECT_FALSE(is_network_file_system(0x794c7630));  // OVERLAYFS_SUPER_MAGIC
}

TEST(LeaseFolder, FilesAreWritableByAllUsersWhateverTheUmask) {
  const test::Folder folder;
  const mode_t before = ::umask(077);
  const auto file = LeaseFile::open(folder.path(), "a");
  ::umask(before);
  ASSERT_TRUE(file);
  EXPECT_EQ(mode_of(folder.path() / "gpu-a.lease"), 0666u);
  EXPECT_EQ(*list_lease_keys(folder.path()), std::vector<std::string>{"a"});
}

TEST(LeaseFolder, LinksAreNotFollowed) {
  const test::Folder folder;
  ASSERT_TRUE(LeaseFile::open(folder.path(), "a"));
  fs::create_symlink(folder.path() / "gpu-a.lease", folder.path() / "gpu-b.lease");
  EXPECT_FALSE(LeaseFile::open(folder.path(), "b"));
  fs::create_hard_link(folder.path() / "gpu-a.lease", folder.path() / "gpu-c.lease");
  EXPECT_FALSE(LeaseFile::open(folder.path(), "c"));
}

TEST(LeaseFolder, ADamagedCounterStillGivesTickets) {
  const test::Folder folder;
  for (const char* damaged : {"", "nonsense", "99999999999999999999999", "-5"}) {
    std::FILE* file = std::fopen((folder.path() / "tickets").c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs(damaged, file);
    std::fclose(file);
    auto counter = TicketCounter::lock(folder.path());
    ASSERT_TRUE(counter);
    const auto first = counter->next_ticket();
    const auto second = counter->next_ticket();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*second, *first + 1) << damaged;
  }
}

TEST(LeaseFolder, FilesOfOtherUsersAreUsed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const test::Folder folder;
  ::chmod(folder.path().c_str(), 01777);
  ASSERT_TRUE(LeaseFile::open(folder.path(), "a"));
  const pid_t other = test::start_child([&] {
    if (::setuid(65534) != 0) return 2;  // the user "nobody"
    auto file = LeaseFile::open(folder.path(), "a");
    if (!file) return 1;
    const auto slot = file->try_acquire(0);
    return slot && *slot && TicketCounter::lock(folder.path()) ? 0 : 3;
  });
  EXPECT_EQ(test::wait_for(other), 0);
}

}  // namespace
}  // namespace weir::device
