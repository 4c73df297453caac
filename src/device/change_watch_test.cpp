#include "device/change_watch.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include <unistd.h>

namespace weir::device {
namespace {

using std::chrono::microseconds;

TEST(ChangeWatch, AWriteEndsTheWaitOnce) {
  std::array<char, 64> name{"/tmp/weir-watch-XXXXXX"};
  const FileDescriptor file{mkstemp(name.data())};
  ChangeWatch watch;
  watch.add(name.data());
  EXPECT_FALSE(watch.wait(microseconds{1000}));
  ASSERT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_TRUE(watch.wait(std::chrono::seconds{60})) << "it was written before the wait";
  EXPECT_FALSE(watch.wait(microseconds{1000})) << "told once";
  EXPECT_FALSE(watch.wait(microseconds{-5})) << "a time that is over";
  unlink(name.data());
}

TEST(ChangeWatch, AFileThatIsNotThereIsNoNews) {
  ChangeWatch watch;
  watch.add("/nowhere/at/all");
  EXPECT_FALSE(watch.wait(microseconds{1000}));
}

}  // namespace
}  // namespace weir::device
