#include "base/system_memory.hpp"
#include "base/small_file.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/process_memory.hpp"
#include "base/system_cpus.hpp"
#include "folder.hpp"

namespace weir {
namespace {

namespace fs = std::filesystem;

/// A folder with test versions of files in /proc and /sys.
class FakeSystem : public ::testing::Test {
 protected:
  void SetUp() override {
    put("proc/meminfo", "MemTotal:       16384000 kB\nMemFree:         100 kB\nMemAvailable:    8388608 kB\n");
  }
  void put(const fs::path& name, const std::string& text) { folder_.put(name, text); }
  test::Folder folder_;
  const fs::path& root_ = folder_.path();
};

TEST_F(FakeSystem, WithoutGroupsTheSystemsAvailableMemoryCounts) {
  put("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(available_memory(root_), 8_GiB);
}

TEST_F(FakeSystem, TheTightestGroupOfVersion2Counts) {
  put("proc/self/cgroup", "0::/user/job\n");
  put("sys/fs/cgroup/user/job/memory.max", "max\n");
  put("sys/fs/cgroup/user/job/memory.current", "1000\n");
  put("sys/fs/cgroup/user/memory.max", "1073741824\n");
  put("sys/fs/cgroup/user/memory.current", "536870912\n");
  put("sys/fs/cgroup/user/memory.stat", "anon 1\nworkingset_inactive_file 5\ninactive_file 268435456\n");
  EXPECT_EQ(available_memory(root_), 768_MiB);
  put("sys/fs/cgroup/user/memory.high", "805306368\n");
  EXPECT_EQ(available_memory(root_), 512_MiB);
}

TEST_F(FakeSystem, ReportsTotalAndTightestLimit) {
  put("proc/self/cgroup", "0::/user/job\n");
  EXPECT_EQ(total_memory(root_), Bytes{16384000ULL << 10});
  EXPECT_FALSE(cgroup_memory_limit(root_));
  put("sys/fs/cgroup/user/job/memory.max", "max\n");
  put("sys/fs/cgroup/user/memory.max", "1073741824\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 1_GiB);
  put("sys/fs/cgroup/user/job/memory.high", "536870912\n");
  EXPECT_EQ(cgroup_memory_limit(root_), 512_MiB);
}

TEST_F(FakeSystem, NoLimitOfVersion1IsNoLimit) {
  put("proc/self/cgroup", "5:memory:/docker/abc\n");
  put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(cgroup_memory_limit(root_));
  EXPECT_EQ(total_memory(root_ / "nothing"), Bytes{});
}

TEST_F(FakeSystem, ReadsTheLimitAtTheMountOfAContainer) {
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/memory.max", "2147483648\n");
  put("sys/fs/cgroup/memory.current", "1073741824\n");
  EXPECT_EQ(available_memory(root_), 1_GiB);
}

TEST_F(FakeSystem, Version1CountsToo) {
  put("proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n1:name=systemd:/\n");
  put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "536870912\n");
  put("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "268435456\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/memory/memory.usage_in_bytes", "268435456\n");
  EXPECT_EQ(available_memory(root_), 256_MiB);
}

TEST_F(FakeSystem, AGroupAboveItsLimitLeavesNothing) {
  put("proc/self/cgroup", "0::/a\n");
  put("sys/fs/cgroup/a/memory.max", "1000\n");
  put("sys/fs/cgroup/a/memory.current", "2000\n");
  EXPECT_EQ(available_memory(root_), Bytes{});
}

TEST_F(FakeSystem, QuotaIsTheLeastOfAllGroups) {
  put("proc/self/cgroup", "0::/a/b\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 1.5);
  put("proc/self/cgroup", "3:cpu,cpuacct:/z\n");
  put("sys/fs/cgroup/cpu/z/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu/z/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), std::nullopt);
  put("sys/fs/cgroup/cpu/z/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(cpu_quota(root_), 0.5);
}

TEST(UsableThreads, AreBoundByProcessorsAndQuota) {
  EXPECT_EQ(usable_threads(4, std::nullopt), 4);
  EXPECT_EQ(usable_threads(4, 1.5), 2);
  EXPECT_EQ(usable_threads(4, 0.1), 1);
  EXPECT_EQ(usable_threads(2, 16.0), 2);
}

TEST(CpuList, ReadsRangesAndRefusesInvalidLists) {
  EXPECT_EQ(*parse_cpu_list("0-3"), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(*parse_cpu_list("4-5,0,2,2"), (std::vector<int>{0, 2, 4, 5}));
  for (const char* text : {"", "a", "3-1", "0,", ",0", "-1", "0-", "0-9999", "1 2"})
    EXPECT_FALSE(parse_cpu_list(text)) << text;
}

TEST(CpuList, TheErrorNamesMissingProcessors) {
  const auto bound = bind_to_cpus({1000});
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().what.find("1000"), std::string::npos);
}

TEST(ProcessMemory, ReadsTheLineOfTheStatusFile) {
  EXPECT_EQ(parse_status_field("Name:\tx\nVmHWM:\t   39420 kB\nVmRSS: 1 kB\n", "VmHWM"), 39420_KiB);
  EXPECT_EQ(parse_status_field("VmHWMX: 1 kB\n", "VmHWM"), std::nullopt);
  EXPECT_GT(peak_resident_memory(), 1_MiB);
}

// The read fails as in /proc for a process that ends between open and read: the first page of a process's own memory
// cannot be read either.
TEST(ReadSmallFile, AFailedReadIsNoText) { EXPECT_EQ(read_small_file("/proc/self/mem"), ""); }

}  // namespace
}  // namespace weir
