#include "device/file_write_monitor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include <unistd.h>

namespace weir::device {
namespace {

using std::chrono::microseconds;

TEST(FileWriteMonitor, AWriteEndsTheWaitOnce) {
  std::array<char, 64> name{"/tmp/weir-monitor-XXXXXX"};
  const FileDescriptor file{mkstemp(name.data())};
  FileWriteMonitor monitor;
  monitor.add_file(name.data());
  EXPECT_FALSE(monitor.wait(microseconds{1000}));
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_TRUE(monitor.wait(std::chrono::seconds{60})) << "a write before the wait counts too";
  EXPECT_FALSE(monitor.wait(microseconds{1000})) << "the write was reported already";
  EXPECT_FALSE(monitor.wait(microseconds{-5})) << "a negative time does not wait";
  unlink(name.data());
}

TEST(FileWriteMonitor, AMissingFileIsIgnored) {
  FileWriteMonitor monitor;
  monitor.add_file("/nowhere/at/all");
  EXPECT_FALSE(monitor.wait(microseconds{1000}));
}

}  // namespace
}  // namespace weir::device
