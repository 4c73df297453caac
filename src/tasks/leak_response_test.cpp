#include "tasks/leak_response.hpp"

#include <gtest/gtest.h>

#include "device/machines_test.hpp"

namespace weir::tasks {
namespace {

/// After a command 500 MiB more are in use on the device than before.
class LeakResponse : public ::testing::Test {
 protected:
  LeakResponse() {
    now_.used = device::test::on_device(600_MiB);
    now_.has_process_list = now_.has_all_processes = true;
    result_.initial_device = now_;
    result_.device_before = 100_MiB;
    result_.device_after = 600_MiB;
    result_.leaks = true;
  }
  void explain() {
    explain_leak({}, now_, result_, {[this](const std::string& text) { notes_ += text + "\n"; }, {}});
  }

  device::Device now_;
  GuardedResult result_;
  std::string notes_;
};

TEST_F(LeakResponse, MemoryThatNoProcessHoldsMakesTheDeviceUntrusted) {
  explain();
  EXPECT_TRUE(result_.leaks && result_.device_untrusted);
  EXPECT_EQ(result_.leak_resolution, "failed");
  EXPECT_NE(notes_.find("no process holds them"), std::string::npos) << notes_;
}

TEST_F(LeakResponse, ProcessesOfOtherUsersMayHoldTheMemoryIfTheyAreNotListed) {
  now_.has_all_processes = false;
  explain();
  EXPECT_TRUE(result_.leaks);
  EXPECT_FALSE(result_.device_untrusted);
  EXPECT_EQ(result_.leak_resolution, "unknown");
  EXPECT_EQ(notes_, "");
}

TEST_F(LeakResponse, AListedProcessThatHoldsTheMemoryIsNamed) {
  now_.has_all_processes = false;
  now_.processes = {{.pid = 42, .name = "game", .memory = device::test::on_device(450_MiB), .engine_ns = {}}};
  explain();
  EXPECT_FALSE(result_.leaks || result_.device_untrusted);
  EXPECT_EQ(result_.leak_resolution, "others");
  EXPECT_NE(notes_.find("pid 42 'game' (450 MiB)"), std::string::npos) << notes_;
}

TEST_F(LeakResponse, MemoryThatIsFreeByNowIsNoLeak) {
  now_.used = device::test::on_device(150_MiB);
  explain();
  EXPECT_FALSE(result_.leaks || result_.device_untrusted);
  EXPECT_EQ(result_.leak_resolution, "freed");
}

}  // namespace
}  // namespace weir::tasks
