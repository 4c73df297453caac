#include "device/file_write_monitor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include <unistd.h>

namespace weir::device {
namespace {

using std::chrono::microseconds;

TEST(FileWriteMonitor, AWriteEndsTheWaitOnce) {
  std::array<char, 64> name{"/tmp/weir-watch-XXXXXX"};
  const FileDescriptor file{mkstemp(name.data())};
  FileWriteMonitor watch;
  watch.add_file(name.data());
  EXPECT_FALSE(watch.wait(microseconds{1000}));
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_TRUE(watch.wait(std::chrono::seconds{60})) << "it was written before the wait";
  EXPECT_FALSE(watch.wait(microseconds{1000})) << "told once";
  EXPECT_FALSE(watch.wait(microseconds{-5})) << "a time that is over";
  unlink(name.data());
}

TEST(FileWriteMonitor, AMissingFileIsNoChange) {
  FileWriteMonitor watch;
  watch.add_file("/nowhere/at/all");
  EXPECT_FALSE(watch.wait(microseconds{1000}));
}

}  // namespace
}  // namespace weir::device
